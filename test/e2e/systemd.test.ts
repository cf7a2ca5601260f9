import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { CHECKOUT } from "../lab/checkout.ts";
import { rootOf } from "../lab/dns.ts";
import { newLab } from "../lab/lab.ts";
import { openImapAs, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { packageNextVersion } from "../lab/next-version.ts";
import { bootMachine, type SystemdMachine, whyNoSystemd } from "../lab/systemd-machine.ts";
import { assertQuickStart, assertRolledBack } from "../lab/systemd-start.ts";
import { follow, stepsUnder } from "../lab/type-page.ts";
import { until } from "../lab/wait.ts";
import { endsBy } from "../lab/with-product.ts";

const YOU = "you@example.org";
const PHONE = "198.51.100.70";
/** The highest score of `systemd-analyze security` for the services that strangers reach, in tenths. */
const MOST_EXPOSED = 25;
const DIST = join(CHECKOUT, "dist");
/** Packages the next version in `dist`, the only place for new files. */
const PACKAGE_NEXT = `
  import * as next from "${CHECKOUT}/test/lab/next-version.ts";
  next.${packageNextVersion.name}("${DIST}");`;
/** The lab cannot reach Debian's archive, and needs nothing from it. */
const NO_ARCHIVE = "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d";
/** For starts that do not test the spam filter and Fail2ban, which take as long as the rest. */
const PLAIN = "GHOSTINBOX_SPAM__ENABLED=false\nGHOSTINBOX_FAIL2BAN__ENABLED=false\n";
const BAN = "192.0.2.77";
/** Some of the units that must run. */
const PARTS = ["guard", "web", "keeper", "postfix", "dovecot", "unbound", "spamd", "rspamd", "fail2ban", "mail-log"];

describe("on a machine with systemd", { skip: whyNoLab() ?? whyNoSystemd() ?? false }, () => {
  const lab = newLab();
  let machine: SystemdMachine;
  let variables: readonly string[];
  let mails = 0;
  before(async () => {
    await lab.start();
    machine = await bootMachine(lab);
    const root = rootOf(lab.directory);
    // Not in /var/tmp, because each unit has a private one.
    const [hints, anchor] = ["/srv/lab/root.hints", "/srv/lab/root.key"];
    await machine.shell(`mkdir /srv/lab && cp ${root.hints} ${root.anchor} /srv/lab`);
    const settings = {
      GHOSTINBOX_HOSTNAME: "mail.example.test",
      GHOSTINBOX_DNS__ROOT_HINTS: hints,
      GHOSTINBOX_DNS__TRUST_ANCHOR: anchor,
      GHOSTINBOX_DNSBL__ZONES: "[]",
      GHOSTINBOX_GREYLIST__ENABLED: "false",
    };
    variables = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  });
  endsBy(lab, () => machine.remove());

  const checkout = async (...argv: readonly string[]): Promise<string> =>
    machine.must([`${CHECKOUT}/ghostinbox`, ...argv]);
  /** Lines of variables for the next start. */
  const set = (lines: string) => machine.run(["tee", "--append", "/etc/default/ghostinbox"], { input: lines });
  const mainPid = async (): Promise<string> => machine.shell("systemctl show --value -p MainPID ghostinbox");
  const allIsWell = async (): Promise<boolean> =>
    !/^ {2}\S+ +(degraded|down) |is read-only:/m.test(await machine.must(["ghostinbox", "status"]));
  const expectBan = () =>
    until("the ban is in the kernel", async () =>
      (await lab.server.mustExec(["nft", "list", "ruleset"])).includes(BAN),
    );
  /** `active`, or `inactive` once it has stopped. */
  async function expectState(state: "active" | "inactive"): Promise<void> {
    const argv = ["systemctl", "is-active", "ghostinbox"];
    await until(`it is ${state}`, async () => (await machine.run(argv)).stdout === `${state}\n`, 120_000);
  }

  /** A mail from outside arrives, and is read from outside. */
  async function serves(): Promise<void> {
    const subject = `mail ${++mails} of this test`;
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, recipient: YOU, subject })).code, 250);
    using dialog = await openImapAs(lab.sender, PHONE, YOU);
    // There may also be an alert, because the first account gets the postmaster's mail.
    await until("it is there", async () => {
      await dialog.imap("SELECT INBOX");
      return (await dialog.imap(`SEARCH SUBJECT "${subject}"`)).some((line) => /^\* SEARCH \d/.test(line));
    });
  }

  async function units(): Promise<readonly string[]> {
    const listed = await machine.shell("systemctl list-units --plain --no-legend --state=active 'ghostinbox*'");
    return listed.split("\n").flatMap((line) => /^(\S+)\.service .* running /.exec(line)?.[1] ?? []);
  }

  describe("a package, as docs/package.md prints it, and a checkout", () => {
    /** Types what the page prints under a heading: all of it, or these of its lines. Returns what is seen. */
    async function typed(heading: string, from = 0, to?: number, directory = DIST): Promise<string> {
      const terminal = { types: (line: string) => machine.types(line, directory) };
      const seen: string[] = [];
      for (const step of stepsUnder("package.md", heading).slice(from, to)) seen.push(await follow(terminal, step));
      return seen.join("");
    }
    before(async () => {
      await typed("Make the package", 0, 1, CHECKOUT);
      await machine.must([process.execPath, "--input-type=module", "--eval", PACKAGE_NEXT]);
      await machine.shell(NO_ARCHIVE);
    });

    test("starts nothing, says what to do next, and leaves another Postfix alone", async () => {
      await machine.shell("cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf && systemctl start postfix");
      const theirs = await machine.shell("cat /etc/postfix/*.cf | sha256sum");
      assert.match(await typed("Install"), /left unchanged: postfix\.$/m);
      assert.deepEqual(await units(), []);
      await set(variables.join(""));
      await typed("Start", 0, 1);
      assert.equal((await machine.run(["systemctl", "start", "ghostinbox"])).code, 1);
      await typed("If a mail server is here already", 0, 1);
      assert.equal((await machine.run(["systemctl", "is-active", "postfix"])).stdout, "active\n");
      assert.equal(await machine.shell("cat /etc/postfix/*.cf | sha256sum"), theirs);
      await typed("If a mail server is here already", 1);
    });

    test("serves mail, each part in a separate unit", async () => {
      await machine.shell("systemctl reset-failed ghostinbox");
      await typed("Start", 1);
      await serves();
      const running = await units();
      for (const part of PARTS) assert.ok(running.includes(`ghostinbox-${part}`), part);
      await until("all is well", allIsWell);
      await machine.must(["ghostinbox", "ban", BAN]);
      await expectBan();
      for (const verb of ["uninstall", "service install"])
        assert.equal((await machine.run(["ghostinbox", ...verb.split(" ")])).code, 1, verb);
    });

    test("services that strangers reach have few other rights", async () => {
      for (const part of ["guard", "web"])
        await machine.shell(`systemd-analyze security --threshold=${MOST_EXPOSED} ghostinbox-${part}.service`);
    });

    test("the journal has the parts' output, and no password", async () => {
      await typed("Logs, and after a boot");
      const journal = await machine.shell("journalctl --no-pager -u 'ghostinbox*'");
      assert.match(journal, /The dashboard has a password that was never shown: `ghostinbox admin passwd`/);
      assert.doesNotMatch(journal, /Password of the dashboard/);
    });

    test("after a reboot everything is back within 15 seconds, not counting waits for other programs", async () => {
      await machine.reboot();
      await assertQuickStart(machine);
      await expectState("active");
      await serves();
      await expectBan();
    });

    test("an upgrade starts the new version with its schemas, and shells complete its commands", async () => {
      const main = await mainPid();
      await set("GHOSTINBOX_DATA=/srv/mail\nGHOSTINBOX_LIMITS__MAIL__PER_MINUTE=many\n");
      const refused = await typed("Upgrade", 0, 1);
      assert.match(refused, /- GHOSTINBOX_DATA names[^]*PER_MINUTE[^]*was not restarted: the old version still runs\./);
      assert.equal(await mainPid(), main);
      await machine.shell("sed -i '/PER_MINUTE\\|_DATA=/d' /etc/default/ghostinbox");
      const [drop, check] = ["/run/systemd/system/ghostinbox.service.d", ["ghostinbox", "upgrade", "--check"]];
      const unit = '[Service]\nEnvironment="A=b c" "GHOSTINBOX_LIMITS__MAIL__PER_MINUTE=7 a"\n';
      await machine.shell(`mkdir -p ${drop}; printf '${unit}' >${drop}/test.conf; systemctl daemon-reload`);
      assert.match((await machine.run(check)).stderr, /PER_MINUTE/);
      await machine.shell(`rm -r ${drop}; systemctl daemon-reload`);
      assert.match((await machine.run(check)).stderr, /^Next: systemctl restart ghostinbox$/m);
      await machine.shell(`DEBIAN_FRONTEND=noninteractive dpkg --install ${DIST}/ghostinbox_0.2.0-1_*.deb`);
      assert.notEqual(await mainPid(), main);
      assert.match(
        await machine.shell("journalctl --no-pager -u ghostinbox"),
        /The databases are being upgraded\. `ghostinbox rollback` goes back .* \(engine\.db of schema 1, accounts\.db of /,
      );
      await serves();
      await expectBan();
      assert.equal(await machine.shell("dpkg --verify ghostinbox | grep -v ' c /etc/' || true"), "");
      assert.match(
        await machine.shell("source /usr/share/bash-completion/completions/ghostinbox; complete -p ghostinbox"),
        /_ghostinbox/,
      );
      await machine.shell("test -s /usr/share/man/man8/ghostinbox.8.gz");
      await set(PLAIN);
    });

    test("the upgrade is undone, and the previous version does not upgrade again", async () => {
      await typed("Upgrade", 1, 3);
      await assertRolledBack(machine);
      await typed("Upgrade", 3);
      await expectBan();
    });

    test("removed after a failure, it leaves nothing in the firewall and keeps the data, which a checkout can use", async () => {
      const toml = "/var/lib/ghostinbox/ghostinbox.toml";
      await machine.shell(`cp -p ${toml} ${toml}.before`);
      await machine.must(["ghostinbox", "config", "set", "firewall.mode", "strict"]);
      await machine.must(["ghostinbox", "config", "apply", "--yes"]);
      await machine.must(["ghostinbox", "firewall", "try", "--yes"]);
      // As left by an interrupted lift.
      await lab.server.mustExec(["nft", "add", "table", "inet", "ghostinbox_isolation"]);
      // `systemctl kill` fails for units that have already ended.
      await machine.shell(`echo 'no_such_setting = 1' >> ${toml}; systemctl kill --signal=KILL 'ghostinbox*' || :`);
      const log = "journalctl --no-pager -u ghostinbox";
      await until("its start fails", async () => (await machine.shell(log)).includes("no_such_setting"));
      const tables = () => lab.server.mustExec(["nft", "list", "tables"]);
      for (const name of ["ghostinbox", "ghostinbox_strict", "ghostinbox_isolation"])
        assert.match(await tables(), new RegExp(`^table inet ${name}$`, "m"));
      await typed("Remove, purge", 0, 1);
      assert.deepEqual(await units(), []);
      assert.equal(await tables(), "");
      await machine.shell(`mv ${toml}.before ${toml}`);
      assert.equal(await machine.shell("ls /usr/lib/ghostinbox /var/cache/ghostinbox 2>/dev/null || true"), "");
      await machine.shell(`mv ${toml} ${toml}.kept; echo 'domains = []' > ${toml}`);
      const refused = await machine.run([`${CHECKOUT}/ghostinbox`, "service", "install"]);
      assert.match(refused.stderr, /No mail domain is set/);
      assert.equal(await machine.shell("find /etc/systemd/system -name 'ghostinbox*'"), "");
      await machine.shell(`mv ${toml}.kept ${toml}`);
      await checkout("service", "install");
      assert.deepEqual(await units(), [], "it starts nothing");
      await machine.must(["systemctl", "start", "ghostinbox"]);
      await serves();
      await expectBan();
    });

    test("a killed guard comes back, and so does a killed start with everything else", async () => {
      const pidOfGuard = async (): Promise<string> =>
        (await machine.shell("cat /var/lib/ghostinbox/service/guard/supervise/pid")).trim();
      const guard = await until("a guard", async () => (await pidOfGuard()) || null);
      await machine.shell(`kill -KILL ${guard}`);
      await until("another guard", async () => ![guard, ""].includes(await pidOfGuard()));
      const main = await mainPid();
      await machine.shell(`kill -KILL ${main}`);
      await until("systemd has started it again", async () => !["0\n", main].includes(await mainPid()));
      await expectState("active");
      await serves();
    });

    test("its own commands restart and stop it, and remove the units", async () => {
      const web = "/etc/systemd/system/ghostinbox-web.service";
      const expectRenewed = async (): Promise<void> => {
        await expectState("active");
        await machine.shell(`test -s ${web}`);
        assert.equal(await machine.shell("systemctl show --value -p NeedDaemonReload ghostinbox-web"), "no\n");
      };
      // As if the new version had added the service.
      await machine.shell(`rm ${web}`);
      await machine.must(["systemctl", "restart", "ghostinbox"]);
      await expectRenewed();
      // As if a restart had been interrupted before systemd read the unit.
      await machine.shell(`touch ${web}`);
      await checkout("restart");
      await expectRenewed();
      await checkout("stop");
      assert.deepEqual(await units(), []);
      await expectState("inactive");
      await checkout("service", "uninstall");
      assert.equal(await machine.shell("find /etc/systemd/system -name 'ghostinbox*'"), "");
    });

    test("a purge deletes the data only if it was told to", async () => {
      assert.match(await typed("Remove, purge", 1, 2), /are still in \/var\/lib\/ghostinbox\.$/m);
      assert.equal(await machine.shell("ls /var/lib/ghostinbox/mail/example.org"), "you\n");
      // None of its programs runs any more.
      const without = "--path-exclude='*/bin/node'";
      const install = `DEBIAN_FRONTEND=noninteractive dpkg ${without} --install ${DIST}/ghostinbox_0.1.0-1_*.deb 2>&1`;
      const again = await machine.shell(install);
      assert.match(again, /is installed again, with its data in \/var\/lib\/ghostinbox\./);
      await typed("Remove, purge", 2);
      await typed("Remove, purge", 1, 2);
      const left =
        "getent passwd ghostinbox ghostinbox-web ghostinbox-export; getent group ghostinbox-data; ls -d /var/lib/ghostinbox /etc/default/ghostinbox";
      assert.equal(await machine.shell(`(${left}) 2>/dev/null || true`), "");
    });
  });
});
