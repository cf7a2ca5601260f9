import assert from "node:assert/strict";
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { CHECKOUT } from "./checkout.ts";
import { documentLines } from "./document-lines.ts";
import { type ImageLab, NAME, START_MS, UNFILTERED } from "./image-lab.ts";
import { ANNA, sendMail, tryLogIn } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

const PHONE = "198.51.100.70";

/** The lines from its document, in an otherwise minimal compose file. */
const ITS_LINES = `services:
  ghostinbox:
    build: .
    # Required for iptables and security features
    privileged: true
    cap_add:
      - NET_ADMIN
      - SYS_ADMIN
    volumes:
      - aliases-data:/data
      - /lib/modules:/lib/modules:ro
    image: ${NAME}
    container_name: ${NAME}
    environment:
      GHOSTINBOX_DOMAIN: example.test
    ports: ["25:25", "993:993"]
volumes:
  aliases-data:
`;
const [PHONE6, GUESSER6] = ["2001:db8:b000::70", "2001:db8:a000::200"];
/** Different wrong passwords that cause a ban in other tests. */
const GUESSES = 7;

/** Runs a container with the document's lines, in which all IPv6 clients have one address, since Docker's own proxy forwards them. */
export async function assertPrivileged(image: ImageLab): Promise<void> {
  const { lab, docker } = image;
  mkdirSync(lab.path("modules"));
  // This machine may lack the directory, and Docker would make it.
  writeFileSync(lab.path("privileged.yaml"), ITS_LINES.replace("- /lib/modules:", `- ${lab.path("modules")}:`));
  await docker.run(["rm", "--force", NAME]);
  image.writeCompose(lab.path("privileged.json"), NAME);
  const files = ["-f", lab.path("privileged.yaml"), "-f", lab.path("privileged.json"), "-p", "privileged"];
  await docker.compose([...files, "up", "--detach", "--no-build"]);
  await image.runs();
  assert.equal(await image.inspect("{{.HostConfig.Privileged}}"), "true");
  const says = await image.status();
  assert.match(
    says,
    /more rights than the server needs: `privileged: true`, which .*SYS_ADMIN; the mount of \/lib\/modules\./,
  );
  assert.match(says, /no IPv6.*never banned/);
  assert.match(says, /bans are in the kernel/);
  await image.addAccount(ANNA);
  for (let number = 0; number < GUESSES; number++) {
    await tryLogIn(lab.attacker, GUESSER6, `nobody${number}@example.test`, `guess ${number}`);
  }
  const gateway = await image.inspect("{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}");
  assert.match(await image.inside(NAME, "events", "--ip", gateway, "--type", "LOGIN_FAILED"), /gateway/);
  assert.equal((await sendMail({ host: lab.sender, from: PHONE6 })).code, 250, "no innocent address is banned");
  assert.doesNotMatch(await image.inside("iptables", "-L", "-n"), new RegExp(`${gateway} timeout`));
}

/** Without this, the command would apply to this machine. */
const NOT_SET_UP_HERE = { GHOSTINBOX_DATA: "/nowhere" };
const OWN_FILTER = "[Definition]\nfailregex = ^\\s*\\S+ postfix/smtpd\\[\\d+\\]: shop refused \\[<HOST>\\]$\n";
const VOLUME = "ghostinbox_aliases-data";

/** By `examples/ghostinbox/compose.yaml`. */
export async function startFirstProject(image: ImageLab): Promise<void> {
  const own = image.lab.path("security");
  cpSync(join(CHECKOUT, "security"), own, { recursive: true });
  image.writeCompose(image.lab.path("lab.json"), NAME, UNFILTERED, [`${own}:/security:ro`]);
  await image.docker.run(["rm", "--force", NAME]);
  await compose(image, ["up", "--detach", "--no-build"]);
  await image.runs();
}

function compose({ lab, docker }: ImageLab, argv: readonly string[], password: string = PASSWORD): Promise<string> {
  const files = ["-f", join(CHECKOUT, "examples/ghostinbox/compose.yaml"), "-f", lab.path("lab.json")];
  const env = { GHOSTINBOX_DOMAIN: "example.test", ADMIN_PASSWORD: password };
  return docker.compose([...files, ...argv], { env });
}

const types = ({ docker, lab }: ImageLab, line: string): Promise<string> => docker.types(line, lab.directory);

const COMMANDS: readonly (readonly [string, RegExp])[] = [
  ["fail2ban-client status", /Jail list:.*ghostinbox-smtp-abuse/],
  ["fail2ban-client restart", /Fail2ban was restarted/],
  ["journalctl -u fail2ban", /fail2ban .*Jail/],
  ['node security/security.js ban 1.2.3.4 "Spam relay attempt"', /1\.2\.3\.4/],
  ["node security/security.js stats", /1\.2\.3\.4/],
  ["iptables -L -n", /1\.2\.3\.4 timeout/],
  ["iptables -L -n | wc -l", /^[1-9]\d+$/m],
  ["node security/security.js stats | grep 1.2.3.4", /Spam relay attempt/],
  ["node security/security.js unban 1.2.3.4", /1\.2\.3\.4/],
  ["node security/security.js cleanup", /./],
  ["tail -n 50 /var/log/mail.log", /postfix\//],
  ["tail -n 50 /var/log/fail2ban.log", /fail2ban/],
  ["top -b -n 1", /runsvdir/],
];

/** The last command is a line of its document that is typed in the checkout, on the machine where Docker runs. */
export const FIRST_COMMANDS: readonly string[] = [
  ...COMMANDS.map(([command]) => `docker exec ${NAME} ${command}`),
  'node security/security.js stats | grep "1.2.3.4"',
];

/** Tests the server from `startFirstProject`, with the commands of its document. Removes it at the end. */
export function firstProjectTests(image: () => ImageLab): void {
  test("needs no ADMIN_PASSWORD after the first start", async () => {
    assert.match(await compose(image(), ["config"], ""), /^ +ADMIN_PASSWORD: (?:""|'')$/m);
  });

  test("opens only ports 25 and 3000 to strangers, and the dashboard only with the password", async () => {
    const { lab } = image();
    const open: number[] = [];
    for (const port of [25, 465, 587, 993, 3000])
      if ((await lab.sender.connect({ from: PHONE, to: SERVER.v4, port, timeoutMs: 1_000 })).ok) open.push(port);
    assert.deepEqual(open, [25, 3000]);
    const web = await WebClient.from(lab.sender, { from: PHONE, to: SERVER.v4, port: 3000 });
    assert.equal((await web.ask("POST", "/api/v1/login", { body: { password: "guess" } })).status, 401);
    assert.equal((await web.ask("POST", "/api/v1/login", { body: { password: PASSWORD } })).status, 200);
  });

  for (const [command, answer] of COMMANDS)
    test(`answers \`docker exec ${NAME} ${command}\``, async () => {
      assert.match(await types(image(), `docker exec ${NAME} ${command}`), answer);
    });

  test("uses edits of security.js and filter.d in the checkout, without another image", async () => {
    const own = image().lab.path("security");
    const script = join(own, "security.js");
    writeFileSync(script, readFileSync(script, "utf8").replace("perMinute: 10,", "perMinute: 20,"));
    writeFileSync(join(own, "filter.d", "shop.conf"), OWN_FILTER);
    const applied = await types(image(), `docker exec ${NAME} ghostinbox config apply`);
    assert.ok(applied.includes("security.js was edited: limits.mail.per_minute = 20"), applied);
    assert.match(await types(image(), `docker exec ${NAME} fail2ban-client restart`), /Your own jails: shop\./);
  });

  test("does what every line of its document says, as printed", async () => {
    const lines = documentLines("ghostinbox");
    const { lab, docker } = image();
    const typed = (line: string) => types(image(), line);
    const onHost = (line: string) => docker.types(line, CHECKOUT, { env: NOT_SET_UP_HERE });
    const made = await typed(`docker exec ${NAME} ghostinbox token create document --scope owner --json`);
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(made));
    const client = await WebClient.from(lab.sender, { from: PHONE, to: SERVER.v4, port: 3000 });
    const web = client.bearing(token);
    const asks = async (count: number) => {
      const [first = "", ...body] = lines.take(count === 1 ? "GET " : "POST ", count);
      const [method = "", path = ""] = first.split(" ");
      const answer = await web.ask(method, path, count === 1 ? {} : { body: JSON.parse(body.join("")) as unknown });
      assert.equal(answer.status, 200, `${first}\n${answer.text}`);
      return answer.text;
    };
    const stats = JSON.parse(await asks(1)) as unknown;
    assert.ok(typeof stats === "object" && stats !== null && "bans" in stats && "events" in stats);
    assert.match(await asks(6), /1\.2\.3\.4/);
    assert.match(await onHost("node security/security.js stats"), /"1\.2\.3\.4".*Manual ban - suspicious activity/);
    await asks(5);
    assert.doesNotMatch(await onHost("node security/security.js stats"), /"level".*"1\.2\.3\.4"|"1\.2\.3\.4".*"level"/);
    await asks(1);
    const script = (start: string) => lines.typed(`node security/security.js ${start}`, onHost);
    assert.match(await script("stats"), /"generatedAt"/);
    assert.match(await script("cleanup"), /removed|expired/i);
    assert.match(await script("ban"), /1\.2\.3\.4/);
    for (const line of lines.take("services:", 10)) assert.ok(ITS_LINES.includes(line), line);
    const typedInContainer = (start: string) => lines.typed(`docker exec ${NAME} ${start}`, typed);
    assert.match(await typedInContainer("journalctl"), /fail2ban/);
    assert.match(await typedInContainer("fail2ban-client"), /Fail2ban was restarted/);
    const [unbanned] = lines.take("node security/security.js unban");
    assert.match(await script("stats | grep"), /Spam relay attempt/);
    assert.equal(unbanned, "node security/security.js unban 1.2.3.4");
    assert.match(await script("unban"), /1\.2\.3\.4/);
    await lines.typed(`docker exec ${NAME} top`, async (line) => {
      const typist = docker.terminal(line.replace("exec", "exec -it"), lab.directory);
      const ended = typist.ends(START_MS);
      await typist.sees(/Mem:/, START_MS);
      typist.types("\x03");
      await ended;
    });
    assert.match(await typedInContainer("iptables"), /^[1-9]\d*$/m);
    assert.match(await script("cleanup"), /removed|expired/i);
    // The printed file is the shipped one, plus a comment that there are more settings.
    const own = lab.path("security", "security.js");
    writeFileSync(own, `${lines.take("const config", 7).join("\n")}\n`);
    assert.match(await typed(`docker exec ${NAME} ghostinbox config check`), /nothing is wrong/);
    await lines.typed("destemail", async (line) => {
      writeFileSync(lab.path("security", "jail.local"), `${line}\n`);
      const address = line.replace(/^\S+ = /, "");
      const adopted = `/security/jail.local sets destemail: alerts.email = ["${address}"], now in ghostinbox.toml.`;
      const applied = await typed(`docker exec ${NAME} ghostinbox config apply`);
      assert.ok(applied.includes(adopted), applied);
      assert.match(applied, /In force now: .*\balerts\.email\b/);
    });
    lines.finish();
  });

  test("keeps everything in the volume aliases-data, where a rollback finds it", async () => {
    const { lab, docker } = image();
    const id = await image().inspect("{{.Id}}");
    await image().addAccount(ANNA);
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "kept" })).code, 250);
    const volume = await docker.must(["volume", "inspect", "--format", "{{.Mountpoint}}", VOLUME]);
    const cwd = join(volume.trim(), "mail/example.test/anna");
    const isKept = () =>
      globSync("**/new/*", { cwd }).some((mail) => /^Subject: kept/m.test(readFileSync(join(cwd, mail), "utf8")));
    await until("the mail is in the volume", isKept, START_MS);
    await docker.must(["stop", NAME]);
    const rollback = ["run", "--rm", "--entrypoint", NAME, NAME, "rollback"];
    await assert.rejects(compose(image(), rollback), /No snapshot to go back to/);
    await compose(image(), ["down"]);
    assert.notEqual((await docker.run(["inspect", id])).code, 0);
    assert.ok(isKept());
  });
}
