import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BareDebian, type BareRun, INSIDE, whyNoBareDebian } from "../lab/bare-debian.ts";
import { rootOf } from "../lab/dns.ts";
import { Lab } from "../lab/lab.ts";
import { changes, type MachineState, machineState } from "../lab/machine-state.ts";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { Typist } from "../lab/typist.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
const PHONE = "198.51.100.70";
/** A mail transport agent without a service: Debian allows one, so that Postfix drives it away. */
const OTHER_MTA = "esmtp-run";
const QUESTION = `Installing these would REMOVE: ${OTHER_MTA}`;
const DATA = "/var/lib/ghostinbox";
const LONG_MS = 300_000;

describe("a bare Debian", { skip: whyNoLab() ?? whyNoBareDebian() ?? false }, () => {
  let lab: Lab;
  let machine: BareDebian;
  let bare: MachineState;
  let online: BareRun;
  let started: Typist;
  before(async () => {
    lab = await Lab.make();
    machine = await BareDebian.make(lab.directory);
    const root = rootOf(lab.directory);
    mkdirSync(join(machine.root, "srv/lab"));
    for (const file of [root.hints, root.anchor]) copyFileSync(file, join(machine.root, "srv/lab", file.slice(-8)));
    online = {
      network: lab.server,
      env: {
        GHOSTINBOX_DOMAIN: "example.test",
        GHOSTINBOX_HOSTNAME: "mail.example.test",
        GHOSTINBOX_DNS__ROOT_HINTS: join("/srv/lab", root.hints.slice(-8)),
        GHOSTINBOX_DNS__TRUST_ANCHOR: join("/srv/lab", root.anchor.slice(-8)),
        GHOSTINBOX_DNSBL__ZONES: "[]",
        GHOSTINBOX_GREYLIST__ENABLED: "false",
      },
    };
    for (const argv of [["update"], ["upgrade", "-y"], ["install", "-y", "--no-install-recommends", OTHER_MTA]])
      await machine.must(["apt-get", ...argv], { deadlineMs: LONG_MS, env: { DEBIAN_FRONTEND: "noninteractive" } });
    bare = await machineState(machine);
  });
  after(async () => {
    try {
      await machine.remove();
    } finally {
      lab.remove();
    }
  });

  async function expectAsBefore(): Promise<void> {
    const now = await machineState(machine);
    assert.deepEqual(changes(bare.packages, now.packages), [], "packages");
    assert.deepEqual(changes(bare.users, now.users), [], "users and groups");
    assert.deepEqual(changes(bare.files, now.files), [], "files");
    assert.deepEqual(changes(bare.processes, now.processes), [], "processes");
  }

  const types = (command: string, options: BareRun = {}): Typist =>
    new Typist((argv) => machine.inside(argv, options), command);

  describe("changes nothing before consent", () => {
    test("is not set up by another user, nor without apt", async () => {
      const user = { as: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] };
      const refused = await machine.run(["npm", "--silent", "run", "setup"], user);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /must be started by root \(try: sudo npm start\)/);
      await machine.must(["mv", "/usr/bin/apt-get", "/usr/bin/apt-got"]);
      const foreign = await machine.run(["npm", "--silent", "run", "setup"]);
      await machine.must(["mv", "/usr/bin/apt-got", "/usr/bin/apt-get"]);
      assert.equal(foreign.code, 1);
      assert.match(foreign.stderr, /no apt-get: GhostInbox runs on Debian 12/);
    });

    test("without a network it says so in one sentence, within seconds", async () => {
      const startedAt = performance.now();
      const refused = await machine.run(["npm", "--silent", "run", "setup"], { network: lab.server });
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /^ghostinbox: The npm packages cannot be fetched, because \S+ does not answer: [^\n]*\n$/,
      );
      assert.ok(performance.now() - startedAt < 30_000);
    });

    for (const [what, keys, code] of [
      ["no", "no\n", 1],
      ["anything but yes", "y\n", 1],
      ["Ctrl-D", "\x04", 1],
      ["Ctrl-C", "\x03", 130],
    ] as const)
      test(`${what} at the question leaves it as it is`, async () => {
        const typist = types("npm --silent run setup");
        await typist.sees(/Type yes to go on: /, LONG_MS);
        expectAnnounced(typist.output);
        typist.types(keys);
        assert.equal(await typist.ends(), code);
        if (code === 1) assert.match(typist.output, /Nothing was changed\./);
      });

    test("without a terminal it names the option", async () => {
      for (const command of ["setup", "start"]) {
        const ran = await machine.run(["npm", "--silent", "run", command]);
        assert.equal(ran.code, 1);
        expectAnnounced(ran.stdout);
        assert.match(ran.stderr, /Nothing was changed\. To let these packages be removed, start with --allow-remove/);
      }
    });

    test("and none of these has changed anything", () => expectAsBefore());
  });

  describe("is set up", () => {
    test("by a yes, though it is broken off in the middle, and says so before it acts", async () => {
      const typist = types("npm --silent run setup");
      await typist.sees(/Type yes to go on: /, LONG_MS);
      expectAnnounced(typist.output);
      typist.types("yes\n");
      const unpacked = ["bash", "-c", "dpkg-query -W -f '${db:Status-Status}\\n' | grep -c unpacked || true"];
      await until("packages are unpacked", async () => Number(await machine.must(unpacked)) > 10, LONG_MS);
      typist.types("\x03");
      assert.equal(await typist.ends(LONG_MS), 130, typist.output);
      const again = await machine.run(["npm", "--silent", "run", "setup", "--", "--allow-remove"], {
        deadlineMs: LONG_MS,
      });
      assert.equal(again.code, 0, again.stdout + again.stderr);
      const now = await machineState(machine);
      assert.deepEqual(changes(bare.processes, now.processes), [], "no packaged service runs");
      assert.ok(!existsSync(join(machine.root, "usr/sbin/policy-rc.d")), "services may start again");
      const edited = changes(bare.files, now.files).filter((line) => line.startsWith("- ") && line.includes(" /etc/"));
      assert.deepEqual(
        edited.filter((line) => !/ \/etc\/(passwd|group|shadow|gshadow|ld\.so\.cache)$/.test(line)),
        [],
      );
    });

    test("and serves", async () => {
      started = types("npm --silent start", online);
      await started.sees(/Ctrl-C stops everything\./, 90_000);
      await machine.must(["./ghostinbox", "account", "add", ANNA, "--password-stdin"], {
        ...online,
        input: `${PASSWORD}\n`,
      });
      assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "Before" })).code, 250);
      await expectMail(1);
      assert.match(await lab.server.mustExec(["nft", "list", "tables"]), /inet ghostinbox/);
      const again = await machine.run(["npm", "--silent", "run", "setup"]);
      assert.deepEqual(again, { code: 0, stdout: "", stderr: "" }, "nothing is left to do, or to say");
    });
  });

  describe("is left by uninstall", () => {
    test("not without consent", async () => {
      const silent = await machine.run(["./ghostinbox", "uninstall", "--packages", "--purge-data"], online);
      assert.equal(silent.code, 2);
      const typist = types("./ghostinbox uninstall --packages --purge-data", online);
      await typist.sees(/Go on\? Type yes: /);
      assert.match(typist.output, new RegExp(`Delete ${DATA} with all mail`));
      assert.match(typist.output, new RegExp(`Install again what had to make room for them: ${OTHER_MTA}\\.`));
      typist.types("no\n");
      assert.equal(await typist.ends(), 1);
      await expectMail(1);
    });

    test("with its data and packages, which a new start takes up", async () => {
      const left = await machine.run(["./ghostinbox", "uninstall", "--yes"], { ...online, deadlineMs: LONG_MS });
      assert.equal(left.code, 0, left.stderr);
      await started.ends();
      assert.match(started.output, /GhostInbox has stopped\./);
      const now = await machineState(machine);
      assert.deepEqual(changes(bare.processes, now.processes), []);
      assert.deepEqual(
        now.users.filter((line) => line.startsWith("ghostinbox")),
        [],
      );
      const orphaned = await machine.must(["find", DATA, "-nouser", "-o", "-nogroup"]);
      assert.equal(orphaned, "", "no file waits for the next user of its number");
      assert.equal(await lab.server.mustExec(["nft", "list", "tables"]), "");

      started = types("npm --silent start", online);
      await started.sees(/Ctrl-C stops everything\./, 90_000);
      assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "After" })).code, 250);
      await expectMail(2);
      started.types("\x03");
      await started.ends();
      assert.match(started.output, /GhostInbox has stopped\./);
    });

    test("with everything, as it was", async () => {
      const gone = await machine.run(["./ghostinbox", "uninstall", "--packages", "--purge-data", "--yes"], {
        ...online,
        deadlineMs: LONG_MS,
      });
      assert.equal(gone.code, 0, gone.stderr);
      assert.match(gone.stdout, /This directory is yours to delete/);
      await machine.must(["rm", "-r", `${INSIDE}/node_modules`]);
      await expectAsBefore();
      assert.equal(await lab.server.mustExec(["nft", "list", "tables"]), "");
      assert.deepEqual(await lab.server.mustExec(["ss", "-Hltn"]), "");
    });
  });

  async function expectMail(count: number): Promise<void> {
    const dialog = await openImap(lab.sender, PHONE);
    assert.match((await logIn(dialog, ANNA)) ?? "", /^OK/);
    await until(`${count} mails are there`, async () =>
      (await dialog.imap("SELECT INBOX")).includes(`* ${count} EXISTS`),
    );
    dialog.close();
  }
});

function expectAnnounced(text: string): void {
  for (const line of [
    "GhostInbox prepares this machine:",
    "  npm packages ",
    "    postfix          receives and sends mail (SMTP)",
    "  system users   ghostinbox ghostinbox-web ghostinbox-mail ghostinbox-fail2ban,",
    "  system groups  ghostinbox-accounts ghostinbox-data ghostinbox-logs,",
    QUESTION,
  ])
    assert.ok(text.includes(line), `${line}\n${text}`);
}
