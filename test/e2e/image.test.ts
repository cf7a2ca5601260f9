import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import { RENEW_IMAGE } from "../../src/core/report/todo.ts";
import { patience } from "../kit/patience.ts";
import { CHECKOUT } from "../lab/checkout.ts";
import { BASE, type Docker, whyNoDocker } from "../lab/docker.ts";
import { assertPrivileged, FIRST_COMMANDS, firstProjectTests, startFirstProject } from "../lab/first-project-tests.ts";
import { type ImageLab, makeImageLab, NAME } from "../lab/image-lab.ts";
import type { Lab } from "../lab/lab.ts";
import { sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { NEXT_VERSION_SCRIPT } from "../lab/next-version.ts";
import { SECOND_COMMANDS, secondProjectTests, startSecondProject } from "../lab/second-project-tests.ts";
import { stepsUnder } from "../lab/type-page.ts";
import { timed, until } from "../lab/wait.ts";

const YOU = "you@example.org";
/** The name for this version's image while the next version's has the usual one. */
const THIS_VERSION = `${NAME}:this`;
const NOBODY = "nobody@example.org";
const [PHONE, PHONE6] = ["198.51.100.70", "2001:db8:b000::70"];
const [GUESSER, GUESSER6] = ["198.51.100.200", "2001:db8:a000::200"];
/** Addresses that a test has not banned. */
const OTHER_GUESSER = "198.51.100.201";
/** Files that a build needs and a server does not. */
const TOOLS = ["gcc", "cc", "make", "esbuild", "npm", "npx", "wget"];

describe("the image", { skip: whyNoLab() ?? whyNoDocker() ?? false }, () => {
  let image: ImageLab;
  let lab: Lab;
  let docker: Docker;
  before(async () => {
    image = await makeImageLab();
    ({ lab, docker } = image);
  });
  after(async () => image.remove());

  test("has no build tools, no files left by a package manager, and no file with the time of the build", async () => {
    // Files that Docker itself puts into a container are not from the image.
    const look = `
      for tool in ${TOOLS.join(" ")}; do command -v $tool; done
      find /var/lib/apt/lists /var/cache/apt -type f
      find /etc/ssl/private /var/log -type f
      ls -d /usr/lib/ghostinbox/node_modules/*esbuild* 2>/dev/null
      find / -xdev -newermt '2026-01-01 00:00:01Z' -type f ! -path '/etc/*' ! -path '/.dockerenv' ! -path '/proc/*'`;
    const found = await docker.run(["run", "--rm", "--network=none", "--entrypoint=bash", NAME, "-c", look]);
    assert.equal(found.stdout + found.stderr, "");
  });

  test("lists its content: every Debian package, every npm package, and nothing else", async () => {
    const list = `
      dpkg-query -W -f '\${db:Status-Status} \${Package}@\${Version}\\n' | sed -n 's/^installed //p'
      node -e 'for (const one of process.argv.slice(1)) {
          const { name, version } = JSON.parse(fs.readFileSync(one));
          console.log(name + "@" + version);
        }' node_modules/*/package.json node_modules/@*/*/package.json`;
    const argv = ["run", "--rm", "--network=none", "--entrypoint=bash", NAME, "-c", list];
    const there = (await docker.must(argv, { deadlineMs: 60_000 })).trim().split("\n");
    const bill = z
      .object({ components: z.array(z.object({ name: z.string(), version: z.string(), purl: z.string() })) })
      .parse(JSON.parse(await image.typed("What is in it")));
    const named = bill.components.map(({ name, version }) => `${name}@${version}`);
    assert.deepEqual(named.toSorted(), there.toSorted());
    assert.ok(bill.components.some(({ purl }) => purl.startsWith("pkg:deb/debian/postfix@3.")));
    assert.ok(bill.components.some(({ purl }) => purl.startsWith("pkg:npm/node-linux-")));
  });

  test("has the security test with its tools", async () => {
    const argv = ["run", "--rm", "--network=none", "--entrypoint=./test-email-security.sh", NAME, "--yes"];
    const { code, stdout, stderr } = await docker.run(argv);
    assert.equal(code, 2);
    assert.match(stdout + stderr, /localhost \(\S+\) has no mail server for you/);
  });

  test("says what it is, in labels", async () => {
    const labels = z.record(z.string(), z.string()).parse(JSON.parse(await image.inspect("{{json .Config.Labels}}")));
    for (const [name, value] of [
      ["title", "GhostInbox"],
      ["licenses", "MIT"],
    ] as const)
      assert.equal(labels[`org.opencontainers.image.${name}`], value);
  });

  test("`npm run image -- --compare`, which compares two builds, reports every difference", async () => {
    const changed = `
      FROM ${BASE}
      LABEL two=three
      RUN touch -r /etc/issue.net /dev/shm/time && sed -i s/Debian/Debiam/ /etc/issue.net && \
        touch -r /dev/shm/time /etc/issue.net && ln -sf issue /etc/os-release && \
        chmod 600 /etc/issue && chown 1 /home && touch --date @0 /srv`;
    await docker.must(["build", "--network=none", "--tag", "changed", "-"], { input: changed });
    const says = await docker.types(`bash scripts/image --compare ${BASE} changed || echo "exit code $?"`, CHECKOUT);
    const paths = says.split("\n").flatMap((line) => /^[-+]([^-+].*?)\t/.exec(line)?.[1] ?? []);
    const changes = ["/etc/issue", "/etc/issue.net", "/etc/os-release", "/home", "/srv", "its configuration"];
    assert.deepEqual([...new Set(paths)].toSorted(), changes, says);
    assert.match(says, /^exit code 1$/m);
  });

  describe("by compose.yaml, with the least rights", () => {
    let directory: string;
    before(async () => {
      directory = lab.path("lab");
      mkdirSync(directory);
      cpSync(join(CHECKOUT, "compose.yaml"), join(directory, "compose.yaml"));
      image.writeCompose(join(directory, "compose.override.yaml"), NAME, {});
      await image.typed("Start it", { directory });
    });
    const mail = (from: string, subject: string) => sendMail({ host: lab.sender, from, subject, recipient: YOU });

    test("reports no needless rights, and no clients that it cannot tell apart", async () => {
      assert.doesNotMatch(await image.status(), /container/i);
      const { stdout, stderr } = await docker.run(["logs", NAME]);
      assert.doesNotMatch(stderr, /container/i);
      assert.match(
        stdout,
        new RegExp(`^ {2}docker exec -it ${await image.inspect("{{slice .Id 0 12}}")} ghostinbox status$`, "m"),
      );
    });

    test("takes mail by IPv4 and IPv6, and sees who sends it", async () => {
      assert.equal((await mail(PHONE, "by four")).code, 250);
      assert.equal((await mail(PHONE6, "by six")).code, 250);
      await image.expectMails(YOU, "by four", "by six");
      const accepted = (await image.inside(NAME, "events", "--type", "EMAIL_ACCEPTED")).split("\n");
      const isAllowed = (ip: string) => accepted.some((line) => line.includes(ip) && line.includes("allowed"));
      for (const ip of [PHONE, PHONE6]) assert.ok(isAllowed(ip), ip);
    });

    test("bans guessers, only in the kernel of the container", async () => {
      const guessers = [GUESSER, GUESSER6];
      for (const from of guessers) await image.guess(YOU, { from, times: 5 });
      await image.bans(guessers);
      const firewall = await image.inside("iptables", "-L", "-n");
      for (const ip of guessers) {
        assert.match(firewall, new RegExp(`\\b${ip.replace(/200$/, "")}\\S* timeout`));
        assert.ok(!(await image.reaches(ip)), ip);
      }
      assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "ruleset"]), /table inet ghostinbox/);
    });

    test("is healthy, and reports that to Docker", () => image.isHealthy());

    test("reports outdated packages, and how to renew them", async () => {
      const { stdout, stderr } = await docker.run(["exec", NAME, "ghostinbox", "check", "--only", "updates"]);
      const says = stdout + stderr;
      assert.match(says, /1 security update not installed yet: tini\./);
      assert.ok(says.includes(RENEW_IMAGE), says);
      const report = await image.inside("ghostinbox", "report");
      assert.match(report, /Install 1 security update\./);
      assert.ok(report.includes(RENEW_IMAGE), report);
    });

    test("loses nothing when it is killed", async () => {
      assert.equal((await mail(PHONE, "just before")).code, 250);
      await docker.must(["kill", NAME]);
      await docker.must(["start", NAME]);
      await image.runs();
      await image.expectMails(YOU, "by four", "by six", "just before");
      for (const ip of [GUESSER, GUESSER6]) assert.ok(!(await image.reaches(ip)), ip);
    });

    test("stops within ten seconds", async () => {
      const { ms } = await timed(async () => docker.must(["stop", "--time", "30", NAME], { deadlineMs: 60_000 }));
      assert.equal(await image.inspect("{{.State.ExitCode}}"), "0");
      assert.ok(ms < patience(10_000), `${ms} ms`);
    });

    test("a new image replaces it, upgrades the databases, and loses nothing", async () => {
      const before = await image.inspect("{{.Id}}");
      const script = JSON.stringify(["node", "--eval", NEXT_VERSION_SCRIPT, "/usr/lib/ghostinbox"]);
      await docker.must(["tag", NAME, THIS_VERSION]);
      await docker.must(["build", "--network=none", "--tag", NAME, "-"], { input: `FROM ${NAME}\nRUN ${script}\n` });
      // The first container has shown that the image runs with the defaults.
      image.writeCompose(join(directory, "compose.override.yaml"), NAME);
      await image.typed("Start it", { directory, from: 1, to: 2 });
      await image.runs();
      assert.notEqual(await image.inspect("{{.Id}}"), before);
      const { stdout, stderr } = await docker.run(["logs", NAME]);
      assert.match(stdout + stderr, /databases are being upgraded\. .* \(engine\.db of schema 1,/);
      await image.expectMails(YOU, "by four", "by six", "just before");
      for (const ip of [GUESSER, GUESSER6]) assert.ok(!(await image.reaches(ip)), ip);
      assert.equal((await mail(PHONE, "to the new one")).code, 250);
      await image.expectMails(YOU, "to the new one");
    });

    test("the upgrade is undone", async () => {
      await image.typed("Upgrade", { directory });
      await docker.must(["tag", THIS_VERSION, NAME]);
    });
  });

  describe("by examples/ghostinbox/compose.yaml", () => {
    before(() => startFirstProject(image));
    firstProjectTests(() => image);
  });

  describe("by examples/investra/compose.yaml", () => {
    before(() => startSecondProject(image));
    secondProjectTests(() => image);
  });

  test("also runs by `docker run`, without needless rights", async () => {
    await docker.run(["rm", "--force", NAME]);
    await image.typed("Without Compose", { from: 1 });
    await image.runs();
    assert.doesNotMatch(await image.status(), /more rights than/);
    assert.ok(await image.reaches(OTHER_GUESSER));
    await image.inside(NAME, "ban", OTHER_GUESSER);
    await until("the ban is in the kernel", async () => !(await image.reaches(OTHER_GUESSER)));
  });

  test("runs without NET_ADMIN like a machine without it", async () => {
    await docker.must(["rm", "--force", NAME]);
    await image.typed("Without Compose", { from: 1, without: "--cap-add=NET_ADMIN " });
    await image.runs();
    assert.match(await image.status(), /firewall .*CAP_NET_ADMIN/);
    // There is no mailbox yet.
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, recipient: NOBODY })).code, 450);
    assert.equal((await sendMail({ host: lab.attacker, from: OTHER_GUESSER, recipient: NOBODY })).code, 421);
  });

  test("every command that docs/docker.md prints for the two examples is typed by a test", () => {
    const printed = stepsUnder("docker.md", "The two examples").map(({ line }) => line);
    const untyped = printed.filter((line) => !FIRST_COMMANDS.includes(line) && !SECOND_COMMANDS.includes(line));
    assert.deepEqual(untyped, []);
  });

  test("runs with the lines of the original compose file, and says which of them it does not need", async () =>
    assertPrivileged(image));
});
