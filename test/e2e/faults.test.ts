import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { smallDisk } from "../lab/full-disk.ts";
import { fullDiskSignInsTests } from "../lab/full-disk-sign-ins-tests.ts";
import { ANNA, assertAccepted, BERT, sendMail, tryLogIn } from "../lab/mail.ts";
import { mailsIn } from "../lab/mailbox.ts";
import { Product } from "../lab/product.ts";
import { timed, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("disk, database and supervisor fail", needsLab(), () => {
  const { lab, product } = withProduct(
    // The limits on guesses are as shipped; Fail2ban is off.
    { GHOSTINBOX_BANS__NEIGHBOURS: undefined, GHOSTINBOX_LIMITS__NETWORKS__FAILURES: undefined },
    [ANNA, BERT],
    { isByNpm: true, toml: "", prepare: () => disk.mount() },
  );
  const disk = smallDisk(dirname(product.layout.engineDb), "6m");

  const isWell = async (part: string): Promise<boolean> =>
    (await product.stats()).health.components.some(({ name, status }) => name === part && status === "ok");
  const isReported = () => product.hasNotice("database_unwritable");
  const mailsAndLoginsWork = async (from: string): Promise<void> => {
    assertAccepted(await sendMail({ host: lab.sender, from }));
    assert.match(await tryLogIn(lab.sender, from, ANNA), /^OK/);
  };
  const whole = async () => assert.deepEqual(await product.sqlite("PRAGMA integrity_check"), [["ok"]]);

  test("a full disk: mail flows, there is a notice, nothing is half-written, and it recovers", async () => {
    disk.fill();
    await until("the owner is alerted", async () => {
      await mailsAndLoginsWork("198.51.100.90");
      return isReported();
    });
    assert.equal((await product.cli(["ban", "198.51.100.91"])).code, 1, "a ban that cannot be kept is not promised");
    assert.doesNotMatch(await product.firewallBans(), /198\.51\.100\.91/);
    disk.free();
    await until("it has recovered, without any mail", async () => !(await isReported()));
    await product.json(["ban", "198.51.100.91", "--for", "1h"]);
    await whole();
  });

  test("a second start says that the server is already running, and harms nothing", async () => {
    const second = new Product(lab, {}, { isByNpm: false });
    assert.equal(await second.startInVain(), 1);
    assert.match(second.output, /^ghostinbox: .*(already|runs)/m);
    assert.doesNotMatch(second.output, / {4}at /, "no stack trace");
    await mailsAndLoginsWork("198.51.100.93");
  });

  test("after kill -9 of runsvdir alone, the next start works", async () => {
    await product.kill(/\brunsvdir\b/);
    await until("npm start has seen it", () => product.output.includes("runsvdir ended"));
    const { ms } = await timed(() => product.stop());
    assert.ok(ms < patience(12_000), `it took ${ms} ms to end what ran`);
    await product.start();
    await mailsAndLoginsWork("198.51.100.95");
  });

  test("kill -9 of the runsv of Postfix: its successor takes the port, and nothing is reported as down", async () => {
    const [left = 0] = product.pidsOf(/postfix\/sbin\/master/);
    await product.kill(/\brunsv postfix$/);
    await until("another master runs", () => {
      const masters = product.pidsOf(/postfix\/sbin\/master/);
      return masters.length === 1 && masters[0] !== left;
    });
    const answers = () => sendMail({ host: lab.sender, from: "198.51.100.119" }).then(Boolean, () => false);
    await until("it has opened its ports", answers);
    await mailsAndLoginsWork("198.51.100.98");
    await until("all is well", () => isWell("postfix"));
  });

  test("a damaged database is set aside, bans and lasting data stay, and there is a notice until it is removed", async () => {
    const { engineDb } = product.layout;
    const digest = `${engineDb}.digest`;
    const hasBan = async () => existsSync(digest) && String(await product.sqlite(BANS, digest)) === BANNED;
    await until("the digest has the ban", hasBan);
    await product.sv("down", "guard");
    const { stderr } = await product.cli(["status"]);
    assert.match(stderr, /^The guard was stopped: .* Start it with `sv up .*guard`\.$/m);
    // Pages in the write-ahead log would hide the damage.
    await lab.server.mustExec(["sqlite3", engineDb, "PRAGMA wal_checkpoint(TRUNCATE)"]);
    damage(engineDb);
    await product.sv("up", "guard");
    await mailsAndLoginsWork("198.51.100.96");
    const notice = await until("the owner is alerted", setAside);
    assert.match(notice, /engine\.db\.damaged-/);
    assert.equal(String(await product.sqlite(BANS)), BANNED);
    assert.match(await product.firewallBans(), /198\.51\.100\.91/);
    await whole();
    await removed(notice);
  });

  for (const [harm, aside] of [["removed", "missing"] as const, ["truncated", "damaged"] as const])
    test(`a database that is ${harm} while it is open is restored, with what can be saved`, async () => {
      const { engineDb } = product.layout;
      await mailsAndLoginsWork("198.51.100.97");
      const events = () => product.sqlite("SELECT id, type FROM event ORDER BY id");
      const before = harm === "removed" ? await events() : [];
      if (harm === "truncated") truncateSync(engineDb, 4_096);
      else for (const end of ["", "-wal", "-shm"]) rmSync(`${engineDb}${end}`);
      const notice = await until("the owner is alerted", setAside);
      assert.ok(notice.includes(`engine.db.${aside}-`), notice);
      assert.deepEqual((await events()).slice(0, before.length), before);
      assert.equal(String(await product.sqlite(BANS)), BANNED);
      assert.match(await product.firewallBans(), /198\.51\.100\.91/);
      await mailsAndLoginsWork("198.51.100.98");
      await whole();
      await removed(notice);
    });

  test("damaged accounts are restored from their copy, and Postfix and Dovecot use it", async () => {
    const { accountsDb } = product.layout;
    await product.addAccount("bea@example.test");
    await until("the copy has it", async () =>
      String(await product.sqlite("SELECT name FROM account", `${accountsDb}.copy`)).includes("bea@"),
    );
    await product.sv("down", "guard");
    await lab.server.mustExec(["sqlite3", accountsDb, "PRAGMA wal_checkpoint(TRUNCATE)"]);
    damage(accountsDb);
    await product.sv("up", "guard");
    const notice = await until("the owner is alerted", setAside);
    assert.match(notice, /accounts\.db\.damaged-/);
    await until("mail and sign-ins work", async () => {
      await mailsAndLoginsWork("198.51.100.99");
      return true;
    });
    const code = (await sendMail({ host: lab.sender, from: "198.51.100.99", recipient: "bea@example.test" })).code;
    assert.equal(code, 250);
    await removed(notice);
  });

  test("a killed guard keeps the settings in force while the file has a mistake; if it can't start, status and a mail say why", async () => {
    const { settings, settingsInForce } = product.layout;
    const ownerGot = (subject: string) => mailsIn(product.layout, ANNA).some((text) => text.includes(subject));
    const right = readFileSync(settings, "utf8");
    const wrong = `${right}\nno_such_setting = 1\n`;
    for (const edited of [wrong, `limits.mail.per_day = 777\n${right}`]) {
      writeFileSync(settings, edited);
      const killed = await product.kill(/program\/guard\.js/);
      await until("the guard is back", async () => {
        const [pid = killed] = product.pidsOf(/program\/guard\.js/);
        return pid !== killed && (await product.guardAnswers());
      });
    }
    const shown = JSON.stringify(await product.json(["config", "show"]));
    assert.match(shown, /"key":"limits\.mail\.per_day","value":"777","from":"file","line":1,"applied":false/);
    writeFileSync(settings, wrong);
    renameSync(settingsInForce, `${settingsInForce}.aside`);
    await product.sv("kill", "guard");
    try {
      await until("status reports the cause", async () => {
        const ran = await product.cli(["status"]);
        return ran.code === 1 && /^The guard is not running: .*no_such_setting.*config check/m.test(ran.stderr);
      });
      await mailsAndLoginsWork("198.51.100.100");
      await until("a mail reports it", () => ownerGot("The guard is not running"));
    } finally {
      writeFileSync(settings, right);
    }
    await until("the guard is back again", () => product.guardAnswers());
    renameSync(`${settingsInForce}.aside`, settingsInForce);
    await until("a mail reports that too", () => ownerGot("The guard is running again"));
  });

  test("a service that keeps exiting is an alert with its last log line within 30 s, which ends with the fault", async () => {
    const { webSettings } = product.layout;
    const right = readFileSync(webSettings, "utf8");
    writeFileSync(webSettings, "this = is not a setting\n");
    try {
      await product.sv("kill", "web");
      const from = performance.now();
      const isAlerted = async (): Promise<true> => {
        // If this fails, the error shows the open alerts.
        const open = (await product.alerts()).filter(({ resolvedAt }) => resolvedAt === null);
        assert.match(JSON.stringify(open), /web: it keeps exiting/);
        return true;
      };
      await until("there is an alert", isAlerted, 30_000);
      console.log(`alerted after ${Math.round((performance.now() - from) / 1000)} s`);
    } finally {
      writeFileSync(webSettings, right);
    }
    await until("it is over", () => isWell("web"));
  });

  // Last, because it makes Dovecot log more, and leaves bans.
  describe("guessing while the disk is full", () => fullDiskSignInsTests({ lab, product }, disk));

  /** The notice about files that were set aside. */
  const setAside = () => product.notice("database_set_aside");

  /** Follows the notice's advice, after which the notice must end. */
  async function removed(notice: string): Promise<void> {
    const command = /`(rm [^`]+)`/.exec(notice)?.[1] ?? assert.fail(notice);
    await lab.server.mustExec(["sh", "-c", command]);
    await until("the notice is over", async () => (await setAside()) === undefined);
  }
});

const BANS = "SELECT prefix FROM ban WHERE ended_at IS NULL";
const BANNED = "198.51.100.91/32";

/** Overwrites the schema's page except for the header. */
function damage(path: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, Buffer.alloc(3_900, 0x5a), 0, 3_900, 100);
  } finally {
    closeSync(file);
  }
}
