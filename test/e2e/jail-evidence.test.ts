import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { whileBusy } from "../lab/commands.ts";
import { stopService } from "../lab/content.ts";
import { bannedByJail, fail2banRuns, lengthMs } from "../lab/fail2ban.ts";
import { forgeBeforeTheTable } from "../lab/forged-headers.ts";
import { guessDashboard } from "../lab/jail-offences.ts";
import { ANNA, authenticate, BERT, openSubmission, sendMail, tryLogIn } from "../lab/mail.ts";
import { MAIL_PROXY } from "../lab/mail-proxy.ts";
import { SERVER } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** More than the default, and more than any jail of sign-ins allows. */
const FAILURES = 8;

describe("jails add what the guard did not judge when it happened", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_FAIL2BAN__ENABLED: "true",
      GHOSTINBOX_HTTP__ADDRESS: SERVER.v4,
      GHOSTINBOX_LIMITS__LOGINS__FAILURES: String(FAILURES),
    },
    [ANNA, BERT],
  );
  before(() => fail2banRuns(product));

  const reportsOf = async (ip: string, jail: string) =>
    (await product.events(ip)).filter(
      ({ type, details }) => type === "JAIL_REPORTED" && details.startsWith(`jail ${jail}: `),
    );

  /** Checks that a report arrived and is shown as evidence, but caused neither a ban nor a step on the ladder. */
  async function isEvidence(ip: string, jail: string): Promise<void> {
    const report = await until(`${jail} reports ${ip}`, async () => (await reportsOf(ip, jail))[0], 20_000);
    assert.partialDeepStrictEqual(report, { reason: "judged_live", action: "attached" });
    assert.equal(await product.banOf(ip), undefined);
    assert.deepEqual(await product.sqlite(`SELECT * FROM ban WHERE prefix = '${ip}/32'`), []);
  }

  const imap = (ip: string, name: string, password: string) => tryLogIn(lab.sender, ip, name, password);

  async function submission(ip: string, name: string, password: string): Promise<void> {
    using dialog = await openSubmission(lab.sender, ip);
    await authenticate(dialog, name, password);
  }

  async function names(from: string, recipients: readonly string[]): Promise<void> {
    for (const recipient of recipients) await sendMail({ host: lab.sender, from, recipient });
  }

  /** Waits for the next second. Logs have whole seconds, and a report about a second that an earlier one covered adds nothing. */
  async function nextSecond(): Promise<void> {
    const now = new Date().setMilliseconds(0);
    await until("the next second has started", () => new Date().setMilliseconds(0) > now);
  }

  describe("what the guard judged", { concurrency: true }, () => {
    test("two devices with a stale password each", async () => {
      const office = "198.51.100.80";
      for (const [name, password] of [
        [ANNA, "stale one"],
        [BERT, "stale two"],
        [ANNA, "stale one"],
      ] as const)
        await imap(office, name, password);
      await isEvidence(office, "dovecot");
    });

    test("a person with four typos over submission", async () => {
      const home = "198.51.100.81";
      for (const password of ["typo 1", "typo 2", "typo 3", "typo 4"]) await submission(home, ANNA, password);
      await isEvidence(home, "postfix-auth");
    });

    test("different wrong passwords up to a raised limit: the jail reports, and only the limit bans", async () => {
      const guesser = "198.51.100.85";
      for (let i = 1; i < FAILURES; i++) await imap(guesser, BERT, `wrong ${i}`);
      await isEvidence(guesser, "dovecot");
      await imap(guesser, BERT, `wrong ${FAILURES}`);
      const ban = await until("the ban", () => product.banOf(guesser));
      assert.deepEqual([ban.source, ban.code], ["engine", "login_failures"]);
    });

    test("an honest server that names three former employees", async () => {
      const server = "198.51.100.82";
      await names(server, ["carl@example.test", "dora@example.test", "emil@example.test"]);
      await isEvidence(server, "postfix");
      assert.match((await product.cli(["why", server])).stdout, /evidence, not an offence/);
    });

    test("an administrator with four typos", async () => {
      const from = "198.51.100.83";
      for (let i = 1; i <= 4; i++) await guessDashboard(lab.sender, from, `typo ${i}`);
      await isEvidence(from, "ghostinbox-dashboard");
    });

    test("ten sessions of a phone that hangs up when its stale password is refused", async () => {
      const phone = "198.51.100.84";
      for (let i = 1; i <= 10; i++) await submission(phone, ANNA, "stale");
      await isEvidence(phone, "ghostinbox-smtp-abuse");
    });
  });

  test("offences known only from logs ban by the jail's own limit, also while the processors are busy", async () => {
    const from = "198.51.100.90";
    await whileBusy(async () => {
      await names(from, ["x@elsewhere.test", "y@elsewhere.test", "z@elsewhere.test"]);
      await bannedByJail(product, "postfix", from);
    });
  });

  test("judged lines among them do not weaken the jail", async () => {
    const from = "198.51.100.91";
    await names(from, ["x@elsewhere.test", "y@elsewhere.test", "carl@example.test"]);
    await isEvidence(from, "postfix");
    await nextSecond();
    await names(from, ["dora@example.test", "emil@example.test", "z@elsewhere.test"]);
    await bannedByJail(product, "postfix", from);
  });

  test("offences reported while the guard is down were not judged, and ban once it is back", async () => {
    const [prober, guesser] = ["198.51.100.92", "198.51.100.93"];
    const guard = await stopService(product, "guard");
    await names(prober, ["carl@example.test", "dora@example.test", "emil@example.test"]);
    for (const password of ["guess 1", "guess 2", "guess 3"]) await imap(guesser, ANNA, password);
    await until("both reports wait", () => readdirSync(product.layout.fail2banSpool).length >= 2);
    await guard.start();
    await bannedByJail(product, "postfix", prober);
    await bannedByJail(product, "dovecot", guesser);
    await until("nothing waits any more", () => readdirSync(product.layout.fail2banSpool).length === 0);
  });

  test("status says which reports ban", async () => {
    const ran = await product.cli(["fail2ban", "status"]);
    assert.match(ran.stdout, /for what the guard did not already judge \(fail2ban\.sentences = "unjudged"\)/);
  });

  test("headers that were forged before the guard's table was in force ban neither the proxy nor a stranger", async () => {
    await product.configure("proxy.networks", `${MAIL_PROXY},127.0.0.1`);
    await until("the table has the proxies", async () => (await product.firewall()).includes(MAIL_PROXY));
    await forgeBeforeTheTable({ lab, product }, ["198.51.100.99", MAIL_PROXY]);
  });

  test("a jail uses the numbers of its settings, and one that would ban before a raised limit is named", async () => {
    const from = "198.51.100.95";
    const jail = '[fail2ban.jails.postfix]\nmaxretry = 5\nbantime = "1h"\n';
    writeFileSync(product.layout.settings, `[fail2ban]\nsentences = "all"\n${jail}`);
    const applied = await product.does(["config", "apply", "--yes"]);
    const undercut = `fail2ban.jails.dovecot.maxretry = 3 bans before limits.logins.failures = ${FAILURES} is reached`;
    assert.ok(applied.includes(`Warning: ${undercut}`), applied);
    await names(from, ["a@example.test", "b@example.test", "c@example.test", "d@example.test"]);
    await until("the jail has seen four", async () => (await offencesSeen("postfix")) >= 4);
    assert.equal(await product.banOf(from), undefined, "one less than the jail allows");
    await names(from, ["e@example.test"]);
    assert.equal(lengthMs(await bannedByJail(product, "postfix", from)), 3_600_000);
  });

  test("once the jails are raised too, wrong passwords ban at the limit that the owner set", async () => {
    const from = "198.51.100.96";
    const jails = ["dovecot", "postfix-auth", "ghostinbox-dashboard"];
    await product.json(["config", "set", ...jails.flatMap((jail) => [`fail2ban.jails.${jail}.maxretry`, "40"])]);
    assert.doesNotMatch(await product.does(["config", "apply", "--yes"]), /bans before/);
    await Promise.all(Array.from({ length: FAILURES - 1 }, (_, n) => imap(from, "nobody@example.test", `wrong ${n}`)));
    await until("the jail has seen them", async () => (await offencesSeen("dovecot")) >= FAILURES - 1);
    assert.equal(await product.banOf(from), undefined, "one less than the limit allows");
    await imap(from, "nobody@example.test", "wrong for the last time");
    const ban = await until("the ban", () => product.banOf(from));
    assert.deepEqual([ban.source, ban.code], ["engine", "login_failures"]);
    assert.deepEqual(await reportsOf(from, "dovecot"), []);
  });

  /** Offences since Fail2ban was restarted, which takes a moment. */
  async function offencesSeen(jail: string): Promise<number> {
    const ran = await product.cli(["fail2ban", "status", "--json"]);
    if (ran.code !== 0) return 0;
    const { jails } = JSON.parse(ran.stdout) as { jails: { name: string; found: number }[] };
    return jails.find(({ name }) => name === jail)?.found ?? 0;
  }
});
