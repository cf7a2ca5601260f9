// Invariant: Fail2ban itself bans no address: it leaves reports, and the guard decides (ADR 8).
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { EventItem } from "../../src/admin/declare/items.ts";
import { scoreByOneRule, stopService } from "../lab/content.ts";
import { bannedByJail, fail2banRuns, lengthMs } from "../lab/fail2ban.ts";
import { jailOffences } from "../lab/jail-offences.ts";
import { Lists } from "../lab/lists.ts";
import { ANNA, mailOver, openSmtp, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { SERVER, whyNoLab } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

/** The owner's own address, which an attacker would like to see banned. */
const OWNER = "198.51.100.70";
const MINUTE = 60_000;

describe("Fail2ban reports, and each report is a sentence if you say so", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_FAIL2BAN__ENABLED: "true",
      // Reports that the guard leaves to its own limits have a separate test (jail-evidence.test.ts).
      GHOSTINBOX_FAIL2BAN__SENTENCES: "all",
      GHOSTINBOX_FAIL2BAN__DESTEMAIL: ANNA,
      GHOSTINBOX_SPAM__ENABLED: "true",
      GHOSTINBOX_DNSBL__ZONES: "zen.spamhaus.org",
      GHOSTINBOX_HTTP__ADDRESS: SERVER.v4,
      // A second offence may follow within the test.
      GHOSTINBOX_BANS__LADDER: "30m,2h,24h",
    },
    [ANNA],
    { prepare, release: () => lists.stop() },
  );
  let lists: Lists;
  async function prepare(): Promise<void> {
    scoreByOneRule({ product });
    lists = await Lists.start();
    await lists.become("zen.spamhaus.org", "honest", { "203.100.51.198": "127.0.0.2" });
  }
  before(async () => {
    await until("spamd listens", () => existsSync(product.layout.spamHeadSocket));
    await fail2banRuns(product);
  });

  async function banBy(jail: string, ip: string, lastsMs: number): Promise<void> {
    const ban = await bannedByJail(product, jail, ip);
    assert.deepEqual([ban.code, ban.level, lengthMs(ban)], ["jail_report", "light", lastsMs]);
    const why = (await product.cli(["why", ip])).stdout;
    assert.match(why, new RegExp(`jail ${jail}: \\d+ offences`), "why names the jail");
    assert.match(why, new RegExp(`unban ${ip.replaceAll(".", "\\.")}`));
  }

  async function eventOf(ip: string, type: string, about: RegExp): Promise<EventItem> {
    return until(`${type} of ${ip}`, async () =>
      (await product.events(ip)).find((event) => event.type === type && about.test(event.details)),
    );
  }

  const offend = jailOffences(lab);

  describe("each jail is triggered by real traffic", { concurrency: true }, () => {
    test("postfix: three recipients that do not exist", async () => {
      const from = "198.51.100.200";
      for (let i = 0; i < 3; i++)
        assert.equal((await sendMail({ host: lab.attacker, from, recipient: `nobody${i}@example.test` })).code, 550);
      await banBy("postfix", from, 10 * MINUTE);
    });

    test("dovecot: three wrong passwords over IMAP", async () => {
      const from = "2001:db8:a000:1::1";
      for (let i = 0; i < 3; i++) await guessImap(from, `wrong ${i}`);
      const ban = await bannedByJail(product, "dovecot", "2001:db8:a000:1::/64");
      assert.equal(ban.level, "light");
      assert.match((await product.cli(["why", from])).stdout, /jail dovecot: 3 offences/);
    });

    for (const [jail, what, from, times, minutes] of [
      ["postfix-auth", "wrong passwords over submission", "198.51.100.202", 4, 30],
      ["postfix-rbl", "mails although a block list names the client", "198.51.100.203", 3, 30],
      ["postfix-spam", "mails that are refused for their content", "198.51.100.204", 3, 30],
      ["ghostinbox-smtp-abuse", "requests in another protocol", "198.51.100.205", 10, 120],
      ["ghostinbox-dashboard", "wrong passwords of the administrator", "198.51.100.206", 4, 30],
    ] as const)
      test(`${jail}: ${times} ${what}`, async () => {
        await offend[jail](from, { account: ANNA, times });
        await banBy(jail, from, minutes * MINUTE);
      });
  });

  test("destemail: each of these bans was reported by a mail through our own queue", async () => {
    const subject = "\\[Fail2Ban\\] postfix: banned 198\\.51\\.100\\.200 from mail\\.example\\.test";
    const mail = await until("the mail", () => findMail(product.layout, subject, { folder: "INBOX", account: ANNA }));
    assert.match(mail, /ghostinbox unban 198\.51\.100\.200/);
  });

  test("one stale password, however often, is spared, and that is recorded", async () => {
    const from = "198.51.100.210";
    for (let i = 0; i < 4; i++) await guessImap(from, "stale");
    const spared = await eventOf(from, "SPARED", /jail dovecot/);
    assert.deepEqual([spared.reason, spared.action], ["repeated_password", "spared"]);
    assert.equal(await product.banOf(from), undefined);
  });

  test("an attacker who writes the owner's address everywhere gets himself banned", async () => {
    const from = "198.51.100.211";
    assert.match(await tryLogIn(lab.sender, OWNER, ANNA), /^OK/);
    const dialog = await openSmtp(lab.attacker, from, [`EHLO [${OWNER}]`]);
    const id = `<client=unknown[${OWNER}]@x>`;
    await mailOver(dialog, { text: `From: <a@sender.test>\r\nMessage-ID: ${id}\r\n\r\nrip=${OWNER}` });
    await until("Postfix has logged the id", () => readFileSync(product.layout.mailLog, "utf8").includes(id));
    for (const recipient of [
      `x[${OWNER}]:@example.test`,
      `"from unknown[${OWNER}]: 550 5.1.1 User unknown"@example.test`,
      `nobody@example.test`,
      `noone@example.test`,
      `none@example.test`,
    ]) {
      await dialog.ask(
        `MAIL FROM:<"from unknown[${OWNER}]: 550 5.1.1 <x>: Recipient address rejected: User unknown"@sender.test>`,
      );
      await dialog.ask(`RCPT TO:<${recipient}>`);
      await dialog.ask("RSET");
    }
    dialog.close();
    await until("the attacker is banned", () => product.banOf(from));
    // With such a name the stock filter skips the line: no account has such a name, so nothing is guessed.
    const hostile = `x>, method=plain, rip=${OWNER}, lip=1.1.1.1, session=<a`;
    for (const name of [hostile, hostile, hostile, ANNA, ANNA, ANNA]) {
      await tryLogIn(lab.attacker, "198.51.100.212", name, `wrong ${Math.random()}`);
    }
    await until("the guesser is banned", () => product.banOf("198.51.100.212"));
    assert.equal(await product.banOf(OWNER), undefined);
    assert.deepEqual(
      (await product.events(OWNER)).filter(({ type }) => type === "JAIL_REPORTED" || type === "SPARED"),
      [],
    );
  });

  test("what is reported while the guard is down is taken up at its return", async () => {
    const from = "198.51.100.213";
    const guard = await stopService(product, "guard");
    for (let i = 0; i < 3; i++) await sendMail({ host: lab.attacker, from, recipient: `nobody${i}@example.test` });
    await until("a report waits", () => readdirSync(product.layout.fail2banSpool).length > 0);
    await guard.start();
    await banBy("postfix", from, 10 * MINUTE);
    await until("nothing waits any more", () => readdirSync(product.layout.fail2banSpool).length === 0);
  });

  test("a restart of Fail2ban reports nothing again, even where it forgot what it has read", async () => {
    const from = "198.51.100.200";
    const before = await product.banOf(from);
    const fail2ban = await stopService(product, "fail2ban");
    await lab.server.mustExec(["rm", "-f", product.layout.fail2banDb]);
    await fail2ban.start();
    const attached = await until(
      "the old lines are reported again",
      async () => (await product.events(from)).filter(({ type }) => type === "JAIL_REPORTED")[1],
    );
    assert.ok(attached);
    assert.deepEqual(await product.banOf(from), before, "the same ban, no longer than it was");
    await product.json(["unban", from]);
    await product.json(["fail2ban", "restart"]);
    assert.equal(await product.banOf(from), undefined);
  });

  async function guessImap(from: string, password: string): Promise<void> {
    await tryLogIn(lab.attacker, from, ANNA, password);
  }
});
