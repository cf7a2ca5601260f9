// Invariant: Fail2ban itself bans no address: it leaves reports, and the guard decides (ADR 8).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { stopService } from "../lab/content.ts";
import { bannedByJail, fail2banRuns, jailHasRead, lengthMs } from "../lab/fail2ban.ts";
import { ANNA, mailOver, openSmtp, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** The owner's own address, which an attacker would like to see banned. */
const OWNER = "198.51.100.70";

describe("Fail2ban reports, and each report bans if you choose so", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_FAIL2BAN__ENABLED: "true",
      // Reports that the guard leaves to its own limits have a separate test (jail-evidence.test.ts).
      GHOSTINBOX_FAIL2BAN__SENTENCES: "all",
      GHOSTINBOX_FAIL2BAN__DESTEMAIL: ANNA,
      // A second offence may follow within the test.
      GHOSTINBOX_BANS__LADDER: "30m,2h,24h",
    },
    [ANNA],
  );
  before(() => fail2banRuns(product));

  // The other five, with nearly the same limits: examples.test.ts.
  describe("a jail is triggered by real traffic", { concurrency: true }, () => {
    test("postfix: three recipients that do not exist", async () => {
      const from = "198.51.100.200";
      for (let i = 0; i < 3; i++)
        assert.equal((await sendMail({ host: lab.attacker, from, recipient: `nobody${i}@example.test` })).code, 550);
      const ban = await bannedByJail(product, "postfix", from);
      assert.deepEqual([ban.code, ban.level, lengthMs(ban)], ["jail_report", "light", 600_000]);
      const why = (await product.cli(["why", from])).stdout;
      assert.match(why, /jail postfix: \d+ offences/, "why names the jail");
      assert.match(why, /unban 198\.51\.100\.200/);
    });

    test("dovecot: three wrong passwords over IMAP", async () => {
      const from = "2001:db8:a000:1::1";
      for (let i = 0; i < 3; i++) await guessImap(from, `wrong ${i}`);
      assert.equal((await bannedByJail(product, "dovecot", "2001:db8:a000:1::/64")).level, "light");
      assert.match((await product.cli(["why", from])).stdout, /jail dovecot: 3 offences/);
    });
  });

  test("destemail: each of these bans was reported by mail through our own queue", async () => {
    const subject = "\\[Fail2Ban\\] postfix: banned 198\\.51\\.100\\.200 from mail\\.example\\.test";
    const mail = await until("the mail", () => findMail(product.layout, subject, { folder: "INBOX", account: ANNA }));
    assert.match(mail, /ghostinbox unban 198\.51\.100\.200/);
  });

  test("a single stale password brings no ban however often it is used, and that is recorded", async () => {
    const from = "198.51.100.210";
    for (let i = 0; i < 4; i++) await guessImap(from, "stale");
    const spared = await until("it is spared", async () =>
      (await product.events(from)).find(({ type, details }) => type === "SPARED" && details.includes("jail dovecot")),
    );
    assert.deepEqual([spared.reason, spared.action], ["repeated_password", "spared"]);
    assert.equal(await product.banOf(from), undefined);
  });

  test("an attacker who writes the owner's address everywhere is banned instead", async () => {
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
        `MAIL FROM:<"from unknown[${OWNER}]: 550 5.1.1 x: Recipient address rejected: User unknown"@sender.test>`,
      );
      await dialog.ask(`RCPT TO:<${recipient}>`);
      await dialog.ask("RSET");
    }
    dialog.close();
    await until("the attacker is banned", () => product.banOf(from));
    // Dovecot logs such a name as "?", which the stock filter counts. Only guesses at an account lead to the ban.
    const hostile = `x>, method=plain, rip=${OWNER}, lip=1.1.1.1, session=<a`;
    for (const name of [hostile, hostile, hostile, ANNA, ANNA, ANNA]) {
      const answer = await tryLogIn(lab.attacker, "198.51.100.212", name, `wrong ${Math.random()}`).catch(() => null);
      if (answer === null) break;
    }
    await until("the guesser is banned", () => product.banOf("198.51.100.212"));
    assert.equal(await product.banOf(OWNER), undefined);
    const counted = (await product.events(OWNER)).filter(({ type }) => type === "JAIL_REPORTED" || type === "SPARED");
    assert.deepEqual(counted, []);
  });

  test("a restart of Fail2ban reports nothing again, even where it forgot what it has read", async () => {
    const from = "198.51.100.200";
    const before = await product.banOf(from);
    const fail2ban = await stopService(product, "fail2ban");
    await lab.server.mustExec(["rm", "-f", product.layout.fail2banDb]);
    await fail2ban.start();
    const reported = async () => (await product.events(from)).filter(({ type }) => type === "JAIL_REPORTED");
    await until("the old lines are reported again", async () => (await reported()).length > 1);
    assert.deepEqual(await product.banOf(from), before, "the same ban, no longer than it was");
    await product.json(["unban", from]);
    const already = (await reported()).length;
    await product.json(["fail2ban", "restart"]);
    await jailHasRead(product, "198.51.100.213");
    assert.equal((await reported()).length, already);
    assert.equal(await product.banOf(from), undefined);
  });

  const guessImap = (from: string, password: string) => tryLogIn(lab.attacker, from, ANNA, password);
});
