import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { layoutOf } from "../../src/settings/layout.ts";
import { patience } from "../kit/patience.ts";
import { type BareDebian, type BareRun, expectAnnounced, INSIDE, makeBareDebian } from "../lab/bare-debian.ts";
import { AS_NOBODY } from "../lab/commands.ts";
import { whyNoDebian } from "../lab/debian-tree.ts";
import { expectMails } from "../lab/expect-mails.ts";
import { newLab } from "../lab/lab.ts";
import { below, changes, type MachineLook, type MachineState, machineLook, memoryOf } from "../lab/machine-state.ts";
import { ANNA, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { expectLimitOfScript, scriptAsDelivered, whitelistInScript } from "../lab/script-edits.ts";
import { Typist } from "../lab/typist.ts";
import { unpackAgain } from "../lab/unpack-again.ts";
import { BANNED_FOR_GOOD, backedUp, DOMAINS, expectState, MANY, signInAs, stateOf } from "../lab/whole-server.ts";
import { endsBy } from "../lab/with-product.ts";

const PHONE = "198.51.100.70";
/** A mail transport agent without a service: Debian allows only one, so Postfix removes it. */
const OTHER_MTA = "esmtp-run";
/** A package that needs any mail transport agent; and a package of set-up that is already installed. */
const HERE_BEFORE = ["bsd-mailx", "openssl"];
/** Packages that the owner installs later: one needs perl, which came with SpamAssassin; the other needs further packages. */
const [LATER, UNPACKED] = ["libconfig-tiny-perl", "libhtml-parser-perl"];
const QUESTION = `Installing these would REMOVE: ${OTHER_MTA}`;
const OWN_FIREWALL = "add table inet owner { chain input { type filter hook input priority 0; tcp dport 9 drop; }; }";
const DATA = "/var/lib/ghostinbox";
/** Files of users and packages; ssl-cert gives its group a directory of openssl. */
const BY_PACKAGES = / \/etc\/(passwd|group|shadow|gshadow|ld\.so\.cache|ssl\/private -> )$/;
const EVERYTHING = ["uninstall", "--packages", "--purge-data"];
const LONG_MS = 300_000;
const MAILS = 1_000;
const [BACKUPS, KEY] = ["/srv/backups", "/srv/key"];

describe("a bare Debian", { skip: whyNoLab() ?? whyNoDebian() ?? false }, () => {
  const lab = newLab();
  let machine: BareDebian;
  let look: MachineLook;
  let bare: MachineState;
  let stay: readonly string[];
  let online: BareRun;
  let started: Typist;
  before(async () => {
    await lab.start();
    machine = await makeBareDebian(lab.directory);
    const settings = { GHOSTINBOX_DNSBL__ZONES: "[]", GHOSTINBOX_GREYLIST__ENABLED: "false" };
    online = machine.online(lab, { ...settings, GHOSTINBOX_DOMAIN: DOMAINS.join() });
    for (const argv of [["update"], ["upgrade", "-y"]]) await machine.apt(...argv);
    await machine.apt("install", "-y", "--no-install-recommends", OTHER_MTA, ...HERE_BEFORE);
    await machine.must(["apt-mark", "auto", OTHER_MTA]);
    await lab.server.mustExec(["nft", OWN_FIREWALL]);
    look = machineLook(machine, lab.server);
    bare = await look.all();
  });
  endsBy(lab, () => machine.remove());

  async function expectAsBefore(): Promise<void> {
    const now = await look.all();
    for (const what of ["packages", "users", "files", "processes", "firewall"] as const)
      assert.deepEqual(changes(bare[what], now[what]), [], what);
  }

  /** How many packages dpkg has purged so far. */
  const purged = (): number =>
    readFileSync(join(machine.root, "var/log/dpkg.log"), "utf8").match(/ purge /g)?.length ?? 0;

  const types = (command: string, options: BareRun = {}): Typist =>
    new Typist((argv) => machine.inside(argv, options), command);

  describe("changes nothing before consent", () => {
    test("cannot be set up by another user, or without apt", async () => {
      const refused = await machine.run(["npm", "--silent", "run", "setup"], {
        as: AS_NOBODY,
        env: { GHOSTINBOX_DOMAIN: "example.org" },
      });
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /must be started by root \(try: sudo GHOSTINBOX_DOMAIN=example\.org npm start\)/);
      await machine.must(["mv", "/usr/bin/apt-get", "/usr/bin/apt-got"]);
      const foreign = await machine.run(["bash", "scripts/setup"]);
      await machine.must(["mv", "/usr/bin/apt-got", "/usr/bin/apt-get"]);
      assert.equal(foreign.code, 1);
      assert.match(foreign.stderr, /no apt-get: GhostInbox runs on Debian 12/);
    });

    test("without a network it says so in one sentence, within seconds", async () => {
      const startedAt = performance.now();
      const refused = await machine.run(["bash", "scripts/setup"], { network: lab.server });
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /^ghostinbox: The npm packages cannot be fetched, because \S+ does not answer: .*\n$/,
      );
      assert.ok(performance.now() - startedAt < patience(30_000));
    });

    // Other answers: test/lab/set-up-script.test.ts.
    test("Ctrl-C at the question changes nothing", async () => {
      const typist = types("npm --silent run setup");
      await typist.sees(/Type yes to continue: /, LONG_MS);
      expectAnnounced(QUESTION, typist.output);
      typist.types("\x03");
      assert.equal(await typist.ends(), 130);
    });

    test("without a terminal it names the option", async () => {
      const ran = await machine.run(["npm", "--silent", "start"], { deadlineMs: LONG_MS });
      assert.equal(ran.code, 1);
      expectAnnounced(QUESTION, ran.stdout);
      assert.match(ran.stderr, /Nothing was changed\. To let these packages be removed, start with --allow-remove/);
    });

    test("and none of these has changed anything", () => expectAsBefore());
  });

  describe("is set up", () => {
    test("as another server that was thrown away, by a restore, although set-up is interrupted", async () => {
      const then = await backedUp(lab, join(machine.root, BACKUPS), MAILS);
      writeFileSync(join(machine.root, KEY), then.key);
      const typist = types("npm --silent run setup");
      await typist.sees(/Type yes to continue: /, LONG_MS);
      expectAnnounced(QUESTION, typist.output);
      typist.types("yes\n");
      await typist.until("packages are unpacked", async () => (await machine.packages("unpacked")) > 10, LONG_MS);
      typist.types("\x03");
      assert.equal(await typist.ends(LONG_MS), 130, typist.output);
      await machine.unpack(UNPACKED);
      const restore = `npm --silent run restore -- --allow-remove --from ${BACKUPS} --key-file ${KEY}`.split(" ");
      const { code, stdout, stderr } = await machine.run(restore, { deadlineMs: LONG_MS });
      assert.equal(code, 0, stdout + stderr);
      assert.match(`${stdout}${stderr}`, /was interrupted: finishing it first\.$[^]*^Next: npm start$/m);
      expectState(stateOf(layoutOf(join(machine.root, DATA))), then.state, MAILS);
      await machine.must(["rm", "-r", BACKUPS, KEY]);
      assert.deepEqual(changes(bare.processes, await look.processes()), [], "no packaged service runs");
      const mailMb = Number.parseInt(await machine.must(["du", "-sm", `${DATA}/mail`]), 10);
      const diskMb = (await look.diskMb()) - bare.diskMb - mailMb;
      assert.ok(diskMb < 700, `${diskMb} MB of disk apart from mail; docs/set-up.md gives the figure`);
      assert.ok(!existsSync(join(machine.root, "usr/sbin/policy-rc.d")), "services may start again");
      const changed = changes(below("/etc", bare.files), await look.files("/etc"));
      const edited = changed.filter((line) => line.startsWith("- ") && !BY_PACKAGES.test(line));
      assert.deepEqual(edited, []);
    });

    test("and serves mail within the memory that docs/set-up.md gives", async () => {
      started = types("npm --silent start", online);
      await started.sees(/Ctrl-C stops everything\./, 90_000);
      await signInAs(lab, MANY.slice(0, 5), PHONE);
      assert.ok((await lab.server.mustExec(["nft", "list", "ruleset"])).includes(BANNED_FOR_GOOD));
      await machine.must(["./ghostinbox", "account", "add", ANNA, "--password-stdin"], {
        ...online,
        input: `${PASSWORD}\n`,
      });
      const renewed = await unpackAgain(machine, DATA);
      assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "Before" })).code, 250);
      await expectMails(lab, { account: ANNA, from: PHONE }, 1);
      assert.match(await lab.server.mustExec(["nft", "list", "tables"]), /inet ghostinbox/);
      const memory = await memoryOf(machine);
      assert.ok(memory < 700, `${memory} MB of memory`);
      const again = await machine.run(["npm", "--silent", "run", "setup"]);
      const next = "Ready. Next: GHOSTINBOX_DOMAIN=example.org npm start, with your domain\n";
      assert.deepEqual(again, { code: 0, stdout: next, stderr: "" }, "nothing is left to do");
      await renewed();
    });
  });

  describe("is left by uninstall", () => {
    test("not without consent", async () => {
      assert.equal((await machine.run(["./ghostinbox", ...EVERYTHING], online)).code, 2);
      const typist = types(`./ghostinbox ${EVERYTHING.join(" ")}`, online);
      await typist.sees(/Continue\? Type yes: /, LONG_MS);
      typist.types("no\n");
      assert.equal(await typist.ends(), 1);
      await expectMails(lab, { account: ANNA, from: PHONE }, 1);
    });

    test("with its data and packages, which a new start takes up", async () => {
      const said = await machine.must(["./ghostinbox", "uninstall", "--yes"], { ...online, deadlineMs: LONG_MS });
      assert.ok(said.includes(`Mail, accounts and settings are in ${DATA}.`), said);
      await started.ends();
      assert.match(started.output, /GhostInbox has stopped\./);
      assert.deepEqual(changes(bare.processes, await look.processes()), []);
      const left = (await look.users()).filter((line) => line.startsWith("ghostinbox"));
      assert.deepEqual(left, []);
      const orphaned = await machine.must(["find", DATA, "-nouser", "-o", "-nogroup"]);
      assert.equal(orphaned, "", "no file waits for the next user of its number");
      assert.deepEqual(await look.firewall(), bare.firewall);

      const edited = await whitelistInScript(machine);
      // The first start used the defaults; the check of the spam filter's rules takes as long as the rest.
      const unfiltered = { ...online, env: { ...online.env, GHOSTINBOX_SPAM__ENABLED: "false" } };
      started = types("npm --silent start", unfiltered);
      await started.sees(/Ctrl-C stops everything\./, 90_000);
      assert.match(started.output, edited);
      assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "After" })).code, 250);
      await expectMails(lab, { account: ANNA, from: PHONE }, 2);
      await expectLimitOfScript(machine, unfiltered);
      started.types("\x03");
      await started.ends();
      assert.match(started.output, /GhostInbox has stopped\./);
    });

    test("in the middle, by Ctrl-C and by a kill", async () => {
      await machine.apt("install", "-y", "--no-install-recommends", LATER);
      const typist = types(`./ghostinbox ${EVERYTHING.join(" ")}`, online);
      await typist.sees(/Continue\? Type yes: /, LONG_MS);
      const plan = typist.output.replaceAll(/\s+/g, " ");
      for (const step of [
        `- Delete ${DATA} with all mail`,
        `- Reinstall the packages that set-up's packages replaced: ${OTHER_MTA} -`,
      ])
        assert.ok(plan.includes(step), `${step}\n${plan}`);
      stay = /now depend on: (.*?) - /.exec(plan)?.[1]?.split(" ") ?? [];
      assert.ok(stay.includes("perl"), typist.output);
      const before = purged();
      typist.types("yes\n");
      // dpkg-query itself reports its removal only sometimes.
      await typist.until("a package is gone", () => purged() > before, LONG_MS);
      typist.types("\x03");
      assert.notEqual(await typist.ends(LONG_MS), 0, typist.output);
      // The first command's dpkg continues and may remove all but the last package, so the test waits for nothing here.
      const killed = types(`./ghostinbox ${EVERYTHING.join(" ")} --yes`, online);
      await killed.sees(/Removing users and groups/, LONG_MS);
      await machine.killCommand("uninstall");
      assert.notEqual(await killed.ends(LONG_MS), 0, killed.output);
    });

    test("with everything, unchanged", async () => {
      const said = await machine.must(["./ghostinbox", ...EVERYTHING, "--yes"], { ...online, deadlineMs: LONG_MS });
      assert.match(said, new RegExp(`Its programs are still in ${INSIDE}; delete that`));
      await machine.must(["rm", "-r", `${INSIDE}/node_modules`]);
      await scriptAsDelivered(machine);
      await machine.apt("purge", "-y", LATER, UNPACKED, ...stay);
      await expectAsBefore();
      assert.deepEqual(await lab.server.mustExec(["ss", "-Hltn"]), "");
    });
  });
});
