import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCapabilities } from "../../src/wire/kernel/capabilities.ts";
import { CHECKOUT } from "./checkout.ts";
import { type ImageLab, NAME, START_MS } from "./image-lab.ts";
import { sendMail } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";

const ANNA = "anna@example.test";
const PHONE = "198.51.100.70";

/** Docker 20.10 does not know them. */
const LATER: readonly string[] = ["PERFMON", "BPF", "CHECKPOINT_RESTORE"];
/**
 * What `privileged: true` gives, for a machine that has not every capability itself: Docker starts no privileged container
 * there at all.
 */
const LIKE_PRIVILEGED = [
  ...parseCapabilities(readFileSync("/proc/self/status", "utf8"), "CapBnd")
    .filter((name) => !LATER.includes(name))
    .map((name) => `--cap-add=${name}`),
  ...["seccomp", "apparmor", "systempaths"].map((what) => `--security-opt=${what}=unconfined`),
];

/** With the lines that its document asks for. */
export async function assertPrivileged(image: ImageLab): Promise<void> {
  const { lab, docker } = image;
  const modules = join(lab.directory, "modules");
  mkdirSync(modules);
  const refused = await docker.run(["run", "--rm", "--network=none", "--privileged", "--entrypoint=true", NAME]);
  if (refused.code !== 0) console.log(`without \`privileged: true\`: ${refused.stderr.split("\n")[0]}`);
  await image.run(
    ...(refused.code === 0 ? ["--privileged"] : LIKE_PRIVILEGED),
    "--cap-add=NET_ADMIN",
    "--cap-add=SYS_ADMIN",
    "--volume=aliases-data:/data",
    `--volume=${modules}:/lib/modules:ro`,
    "--publish=25:25",
  );
  const says = await image.status();
  assert.match(says, /does not need: (?:`privileged: true`|.*SYS_ADMIN).*; the mount of \/lib\/modules\./);
  assert.match(says, /no IPv6.*never banned/);
  assert.match(says, /bans are in the kernel/);
}

const VOLUME = "ghostinbox_aliases-data";

/** By `examples/ghostinbox/compose.yaml`. The lab's own lab.json is there already. */
export async function startFirstProject(image: ImageLab): Promise<void> {
  await image.docker.run(["rm", "--force", NAME]);
  await compose(image, ["up", "--detach", "--no-build"]);
  await image.runs();
}

function compose({ lab, docker }: ImageLab, argv: readonly string[], password: string = PASSWORD): Promise<string> {
  const files = ["-f", join(CHECKOUT, "examples/ghostinbox/compose.yaml"), "-f", join(lab.directory, "lab.json")];
  const env = { GHOSTINBOX_DOMAIN: "example.test", ADMIN_PASSWORD: password };
  return docker.compose([...files, ...argv], { env });
}

const COMMANDS: readonly (readonly [string, RegExp])[] = [
  ["fail2ban-client status", /Jail list:.*ghostinbox-smtp-abuse/],
  ["fail2ban-client restart", /Fail2ban was restarted/],
  ["journalctl -u fail2ban", /fail2ban .*Jail/],
  ["node security/security.js ban 1.2.3.4 Spam-relay-attempt", /1\.2\.3\.4/],
  ["node security/security.js stats", /1\.2\.3\.4/],
  ["iptables -L -n", /1\.2\.3\.4 timeout/],
  ["node security/security.js unban 1.2.3.4", /1\.2\.3\.4/],
  ["node security/security.js cleanup", /./],
  ["tail -n 50 /var/log/mail.log", /postfix\//],
  ["tail -n 50 /var/log/fail2ban.log", /fail2ban/],
  ["top -b -n 1", /runsvdir/],
];

type Row = readonly [says: string, test: () => Promise<void>];

/** Of what `startFirstProject` has started: also the commands of its document. It is gone at the end. */
export function firstProjectTests(image: () => ImageLab): readonly Row[] {
  return [
    [
      "does not start without ADMIN_PASSWORD",
      async () => {
        await assert.rejects(compose(image(), ["config"], ""), /a long password for the dashboard/);
      },
    ],

    [
      "shows strangers ports 25 and 3000 alone, and the dashboard to who has the password",
      async () => {
        const { lab } = image();
        const open: number[] = [];
        for (const port of [25, 465, 587, 993, 3000])
          if ((await lab.sender.connect({ from: PHONE, to: SERVER.v4, port, timeoutMs: 1_000 })).ok) open.push(port);
        assert.deepEqual(open, [25, 3000]);
        const web = await WebClient.from(lab.sender, { from: PHONE, to: SERVER.v4, port: 3000 });
        assert.equal((await web.ask("POST", "/api/v1/login", { body: { password: "guess" } })).status, 401);
        assert.equal((await web.ask("POST", "/api/v1/login", { body: { password: PASSWORD } })).status, 200);
      },
    ],

    ...COMMANDS.map(
      ([command, answer]): Row => [
        `answers \`docker exec ${NAME} ${command}\``,
        async () => {
          assert.match(await image().inside(...command.split(" ")), answer);
        },
      ],
    ),
    [
      "keeps everything in the volume aliases-data, where a rollback finds it",
      async () => {
        const { lab, docker } = image();
        const id = await image().inspect("{{.Id}}");
        await docker.must(["exec", "-i", NAME, "ghostinbox", "account", "add", ANNA, "--password-stdin"], {
          input: `${PASSWORD}\n`,
        });
        assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "kept" })).code, 250);
        const look = ["run", "--rm", "--network=none", `--volume=${VOLUME}:/data`, "--entrypoint=grep", NAME];
        const mail = [...look, "--recursive", "--files-with-matches", "^Subject: kept", "/data/mail/example.test/anna"];
        await until("the mail is in the volume", async () => (await docker.run(mail)).code === 0, START_MS);
        await compose(image(), ["stop"]);
        const rollback = ["run", "--rm", "--entrypoint", NAME, NAME, "rollback"];
        await assert.rejects(compose(image(), rollback), /There is no snapshot to go back to/);
        await compose(image(), ["down"]);
        assert.notEqual((await docker.run(["inspect", id])).code, 0);
        assert.equal((await docker.run(mail)).code, 0);
      },
    ],
  ];
}
