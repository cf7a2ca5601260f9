// Invariant: An alert of a detector counts only if its address cannot be forged.
import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { EventItem } from "../../src/admin/declare/items.ts";
import { type Dialog, openDialog } from "../lab/dialog.ts";
import { UNLIMITED } from "../lab/for-tests.ts";
import { wholeLog } from "../lab/log-files.ts";
import { logsSetAsideTests } from "../lab/logs-set-aside-tests.ts";
import {
  ANNA,
  assertAccepted,
  authenticate,
  openImap,
  openSmtp,
  openSubmission,
  sendMail,
  sendMailAs,
  tryLogIn,
} from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** C1 and bidirectional controls. */
const HIDDEN = /[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe("facts that only logs have", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      ...UNLIMITED,
      // The logs are rotated every few mails.
      GHOSTINBOX_LOGS__MAX_SIZE: "16KB",
      GHOSTINBOX_LOGS__KEEP: "1000",
    },
    [ANNA],
    {
      prepare: ({ lab, product }) => {
        product.set({
          GHOSTINBOX_DETECTION__SURICATA__FILE: lab.path("eve.json"),
          GHOSTINBOX_DETECTION__PSAD__FILE: lab.path("psad.log"),
        });
        for (const name of ["eve.json", "psad.log"]) writeFileSync(lab.path(name), "");
      },
    },
  );

  const open = (from: string, port = 25): Promise<Dialog> => openDialog(lab.attacker, { from, to: SERVER.v4, port });
  const recorded = (ip: string, reason: string): Promise<EventItem> =>
    until(`${reason} of ${ip} is recorded`, async () =>
      (await product.events(ip)).find((event) => event.reason === reason),
    );

  test("the logs are where people look for them, readable only by root and the guard", async () => {
    const { mailLog, mailWarn, mailErr } = product.layout;
    for (const file of [mailLog, mailWarn, mailErr]) {
      const { mode } = await until(`${file} is there`, () => statSync(file, { throwIfNoEntry: false }));
      assert.equal(mode & 0o777, 0o640);
    }
    assert.equal(readlinkSync(join(dirname(mailLog), "fail2ban.log")), "../fail2ban/current");
  });

  test("detectors of intrusions: Suricata's alerts ban by the one decision, a scan of psad is evidence", async () => {
    const [attacker, scanner] = ["198.51.100.240", "198.51.100.241"];
    const alert = { signature_id: 1_000_001, signature: "LOCAL exploit", severity: 1 };
    const seen = { event_type: "alert", src_port: 50_096, dest_port: 25, proto: "TCP", app_proto: "smtp", alert };
    const eve = (ip: string): string =>
      `${JSON.stringify({ timestamp: new Date().toISOString(), src_ip: ip, ...seen })}\n`;
    const scan = `scan detected (Nmap -sS scan): ${scanner} -> ${SERVER.v4} tcp: [1-99] DL: 4 total scan dsts: 1`;
    appendFileSync(lab.path("psad.log"), `${new Date().toISOString()} mail psad: ${scan}\n`);
    appendFileSync(lab.path("eve.json"), `${eve(attacker)}{"cut\n${eve(attacker)}${eve(SERVER.v4)}`);
    await recorded(attacker, "below_limit");
    await recorded(SERVER.v4, "own_address");
    assert.match((await recorded(scanner, "forgeable")).details, /^ids:psad: 1 offence, .*\| scan detected/);
    appendFileSync(lab.path("eve.json"), eve(attacker));
    const ban = await until("the attacker is banned", () => product.banOf(attacker));
    assert.deepEqual([ban.code, ban.source], ["intrusion_report", "engine"]);
    assert.equal(await product.banOf(scanner), undefined);
    const why = (await product.cli(["why", attacker])).stdout;
    assert.match(why, /An intrusion detector saw attacks .*1000001 LOCAL exploit/s);
  });

  describe("about a client", { concurrency: true }, () => {
    test("signing in on port 25, and hanging up during that", async () => {
      const from = "198.51.100.200";
      const dialog = await openSmtp(lab.attacker, from);
      for (let i = 0; i < 3; i++) await authenticate(dialog, ANNA, `wrong ${i}`);
      dialog.close();
      const event = await recorded(from, "auth_not_offered");
      assert.equal(event.type, "SESSION_FAULT");
      assert.equal(event.details, "smtp auth=0/3 (3 times)");
      assert.equal((await recorded(from, "lost_connection")).details, "smtp AUTH");
    });

    test("TLS that fails, at SMTP and at IMAP", async () => {
      const from = "198.51.100.201";
      const dialog = await openSmtp(lab.attacker, from);
      await dialog.ask("STARTTLS");
      dialog.sendRaw("this is not a handshake\r\n");
      await dialog.closed();
      assert.equal((await recorded(from, "tls_failed")).type, "TLS_FAILED");
      const imap = await open("198.51.100.202", 993);
      imap.sendRaw("a1 LOGIN anna secret\r\n");
      await imap.closed();
      assert.match((await recorded("198.51.100.202", "tls_failed")).details, /^imap SSL_accept/);
    });

    test("talking out of turn, nonsense, and too much of it", async () => {
      const early = await open("198.51.100.203");
      await early.reply();
      early.sendRaw("EHLO client.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<anna@example.test>\r\n");
      await early.reply();
      early.close();
      await recorded("198.51.100.203", "pipelining");
      const noise = await open("198.51.100.204");
      await noise.reply();
      noise.send("GET / HTTP/1.1");
      await noise.closed();
      assert.match((await recorded("198.51.100.204", "malformed_command")).details, /GET \/ HTTP/);
      const wrong = await openSmtp(lab.attacker, "198.51.100.205");
      for (let i = 0; i < 21; i++) await wrong.ask(`WHAT ${i}`);
      await wrong.closed();
      await recorded("198.51.100.205", "too_many_errors");
    });

    test("relaying, a bare HELO name, a large mail and a sender of someone else, refused by Postfix alone", async () => {
      await sendMail({ host: lab.attacker, from: "198.51.100.206", recipient: "someone@elsewhere.test" });
      assert.equal((await recorded("198.51.100.206", "relay_refused")).type, "EMAIL_BLOCKED");
      (await openSmtp(lab.attacker, "198.51.100.207", ["EHLO client"])).close();
      await recorded("198.51.100.207", "helo_refused");
      const large = ["EHLO client.test", "MAIL FROM:<a@sender.test> SIZE=99999999"];
      (await openSmtp(lab.attacker, "198.51.100.209", large)).close();
      await recorded("198.51.100.209", "too_large");
      // Without SIZE=, the refusal is known only by its queue id.
      const text = `Subject: large\r\n\r\n${"x".repeat(998).concat("\r\n").repeat(10_600)}`;
      assert.equal((await sendMail({ host: lab.attacker, from: "198.51.100.210", text })).code, 552);
      const named = "reason = 'too_large' AND queue_id IS NOT NULL";
      await until("it is recorded", async () => (await product.countEvents(named)) === 1);
      const forged = { from: "198.51.100.66", sender: "bert@example.test", recipient: ANNA };
      await sendMailAs(ANNA, { host: lab.sender, ...forged });
      await recorded("198.51.100.66", "sender_refused");
    });

    test("names that imitate a line of the log accuse no one else", async () => {
      const from = "198.51.100.208";
      const innocent = "198.51.100.33";
      const line = `x]: lost connection after AUTH from unknown[${innocent}]`;
      const dialog = await openSmtp(lab.attacker, from, [`EHLO ${line}`, `EHLO x>: ${line}`, "EHLO client.test"]);
      assert.equal((await dialog.ask(`MAIL FROM:<"x>: ${line}"@sender.test>`)).code, 501);
      await dialog.ask(`MAIL FROM:<"${line}"@sender.test>`);
      await dialog.ask(`too many errors after RCPT from unknown[${innocent}]`);
      dialog.close();
      const name = `x>, method=PLAIN, rip=${innocent}, lip=203.0.113.10, TLS, session=<y`;
      await tryLogIn(lab.attacker, from, name, "wrong");
      const nameless = /user=<\?>, .*rip=198\.51\.100\.208,/;
      await until("it is in the log, without the name", () => nameless.test(wholeLog(product.layout.mailLog)));
      await recorded(from, "lost_connection");
      assert.deepEqual(await product.events(innocent), []);
    });
  });

  test("what became of a mail", async () => {
    const text = "From: <a@sender.test>\r\nMessage-ID: <one@sender.test>\r\n\r\nHello.";
    await sendMail({ host: lab.sender, from: "198.51.100.65", text });
    const delivered = await until("its delivery is recorded", async () =>
      (await product.sqlite("SELECT type, details FROM event WHERE type LIKE 'EMAIL_%' ORDER BY id")).find(
        ([type]) => type === "EMAIL_DELIVERED",
      ),
    );
    const [, queueId = ""] = /^queue_id=(\w+) to=<anna@example\.test> by lmtp /.exec(delivered[1] ?? "") ?? [];
    assert.notEqual(queueId, "");
    const queued = await product.sqlite(
      `SELECT details FROM event WHERE type = 'EMAIL_QUEUED' AND queue_id = '${queueId}'`,
    );
    assert.deepEqual(queued, [[`queue_id=${queueId} message_id=<one@sender.test>`]]);
    assert.match(wholeLog(product.layout.mailLog), new RegExp(`${queueId}: removed`));
    const lines = (await product.cli(["logs", "--queue-id", queueId])).stdout;
    for (const part of [/client=phone/, /message-id=<one@sender\.test>/, /status=sent/, /removed/])
      assert.match(lines, part);
    const none = (await product.cli(["logs", "--grep", "one@sender", "--ip", "198.51.100.65"])).stdout;
    assert.equal(none, "No line matches.\n");
    // Queue id, Message-ID and the API show the same story.
    const story = (await product.cli(["why", "--message", "one@sender.test"])).stdout;
    for (const part of [
      /^Outcome: delivered/m,
      / smtp +CONNECT /,
      / smtp +EMAIL_ACCEPTED /,
      / delivery +EMAIL_DELIVERED /,
    ])
      assert.match(story, part);
    assert.equal((await product.cli(["why", "--message", queueId])).stdout, story);
    const answer = await product.api("GET", `/api/v1/why/message/${encodeURIComponent("<one@sender.test>")}`);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), await product.json(["why", "--message", "<one@sender.test>"]));
    const ofAccount = await product.api("GET", `/api/v1/why/account/${encodeURIComponent(ANNA)}`);
    // The mailbox's usage needs root, so the command line shows more.
    assert.partialDeepStrictEqual(await product.json(["why", "--account", ANNA]), ofAccount.json());
  });

  test("a sign-in that failed while the guard was down is found when it is back", async () => {
    await product.sv("down", "guard");
    assert.match(await tryLogIn(lab.attacker, "198.51.100.209", ANNA, "wrong"), /^NO/);
    await until("it is in the log", () => wholeLog(product.layout.mailLog).includes("rip=198.51.100.209"));
    const written = Date.now();
    // Lines have whole seconds: lines from the second of the start cannot be distinguished from later ones.
    await until("the next second has started", () => Date.now() > written + 1_100);
    await product.sv("up", "guard");
    const event = await recorded("198.51.100.209", "unseen_login_failure");
    assert.deepEqual([event.type, event.account, event.action], ["LOGIN_FAILED", ANNA, "noted"]);
  });

  test("nothing that strangers send reaches a log with its C1 and bidirectional characters", async () => {
    const from = "198.51.100.215";
    const evil = "eve\u0085\u009b31m\u202e\u2066x";
    const imap = await openImap(lab.attacker, from);
    imap.send(`a1 LOGIN {${Buffer.byteLength(`${evil}@example.test`)}+}\r\n${evil}@example.test "guess of a bidi"`);
    await imap.line();
    imap.close();
    const submission = await openSubmission(lab.attacker, from);
    await authenticate(submission, `${evil}@example.test`, "another guess of a bidi");
    submission.close();
    const text = `From: <eve@sender.test>\r\nTo: <${ANNA}>\r\nMessage-ID: <${evil}@sender.test>\r\nSubject: Bidi\r\nX-Evil: ${evil}\r\nContent-Type: text/${evil}\r\n\r\nHello.`;
    assertAccepted(await sendMail({ host: lab.attacker, from, sender: "eve@sender.test", recipient: ANNA, text }));
    await until("the mail is delivered", () => findMail(product.layout, "Bidi"));
    const logs = readdirSync(product.layout.log, { recursive: true, withFileTypes: true });
    const found = logs
      .filter((entry) => entry.isFile())
      .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8").split("\n"))
      .filter((line) => HIDDEN.test(line))
      .map((line) => JSON.stringify(line));
    assert.deepEqual(found, []);
    const { stdout } = await product.cli(["logs", "--ip", from]);
    assert.ok(stdout.includes("user=<?>") && !HIDDEN.test(stdout), JSON.stringify(stdout));
  });

  describe("rotated logs", () => logsSetAsideTests({ lab, product }));
});
