import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { LOG_EXAMPLES } from "../../../test/kit/log-examples.ts";
import { costOf } from "../../../test/kit/processor-time.ts";
import { DELIVERED, UNNAMED } from "../../../test/kit/samples.ts";
import { DAY_MS, instant, later } from "../../core/time.ts";
import { LONGEST_LINE, parseMailLine } from "./log-line.ts";
import { matchPattern, readMailLog } from "./mail-log.ts";
import { LOG_PATTERNS } from "./patterns.ts";

const SINCE = instant(new Date(2026, 10, 20, 8, 8, 0).getTime());
const read = (rest: string) => readMailLog(`Nov 20 08:08:30 ${rest}`, SINCE, SINCE);

test("a client's fault is reported with its service and details", () => {
  const about = { type: "CLIENT_FAULT", ip: "2001:db8::7", service: "submission", times: 1, ...UNNAMED };
  const line = "mail postfix/submission/smtpd[1]: lost connection after AUTH from unknown[2001:db8::7]";
  assert.deepEqual(read(line), { ...about, reason: "lost_connection", detail: "AUTH" });
});

test("a refused mail names the account, the sender and the recipient, whatever a stranger wrote", () => {
  const of = (line: string): unknown => {
    const seen = read(`mail postfix/submission/smtpd[1]: ${line}`);
    assert.ok(seen?.type === "CLIENT_FAULT");
    return [seen.reason, seen.account, seen.sender, seen.recipient];
  };
  const example = (name: string): string => parseMailLine(LOG_EXAMPLES[name]?.example ?? "")?.text ?? "";
  const bert = "bert@example.test";
  assert.deepEqual(of(example("sender_refused")), ["sender_refused", "anna@example.test", bert, null]);
  assert.deepEqual(of(example("mailbox_full")), ["mailbox_full", null, "a@b.test", "anna@example.test"]);
  assert.deepEqual(of(example("filter_deferred")), ["filter_deferred", null, "a@b.test", null]);
  assert.deepEqual(of(example("too_large")), ["too_large", null, null, null]);
  const forged = '"x> to=<anna@example.test> "@b.test';
  const full = example("mailbox_full").replace("from=<a@b.test>", `from=<${forged}>`);
  assert.deepEqual(of(full), ["mailbox_full", null, forged, "anna@example.test"]);
});

test("a probe that gave up does not count against its client", () => {
  const line = (ip: string): string =>
    `mail postfix/smtpd[1]: lost connection after CONNECT from probe.localhost[${ip}]`;
  assert.equal(read(line("127.71.9.25")), null);
  assert.equal(read(line("127.71.9.26")), null);
  assert.equal(read(line("127.71.9.27"))?.type, "CLIENT_FAULT");
});

test("sign-ins on port 25 are counted by the line that ends the session", () => {
  const reported = "disconnect from unknown[198.51.100.7] ehlo=2 starttls=1 auth=0/3 commands=3/6";
  const seen = read(`mail postfix/smtpd[1]: ${reported}`);
  assert.ok(seen?.type === "CLIENT_FAULT");
  assert.deepEqual([seen.reason, seen.times, seen.detail], ["auth_not_offered", 3, "auth=0/3"]);
  const submitted = read(`mail postfix/submission/smtpd[1]: ${reported}`);
  assert.equal(submitted, null, "where signing in is offered, the guard is asked");
});

test("a failed sign-in is read only from the time when the guard was down", () => {
  const line = (time: string): string =>
    `${time} imap-login: Info: Disconnected: Connection closed (auth failed, 2 attempts in 4 secs): ` +
    "user=<anna@example.test>, method=PLAIN, rip=198.51.100.7, lip=203.0.113.10, TLS, session=<abc>";
  assert.equal(readMailLog(line("Nov 20 08:08:30"), SINCE, SINCE), null);
  for (const days of [2, 40, 300]) {
    const now = later(SINCE, days * DAY_MS);
    const [, month, day, , time] = new Date(now).toString().split(" ");
    const seen = readMailLog(line(`${month} ${day?.replace(/^0/, " ")} ${time}`), SINCE, now);
    assert.equal(seen, null, `a guard that has run for ${days} days`);
  }
  const unseen = { type: "LOGIN_UNSEEN", ip: "198.51.100.7", service: "imap", login: "anna@example.test", times: 2 };
  assert.deepEqual(readMailLog(line("Nov 20 07:59:59"), SINCE, SINCE), unseen);
  const failed =
    "warning: unknown[198.51.100.7]: SASL login authentication failed: (reason unavailable), sasl_username=";
  const submitted = (login: string) =>
    readMailLog(`Nov 20 07:59:59 mail postfix/submission/smtpd[1]: ${failed}${login}`, SINCE, SINCE);
  const once = { ...unseen, service: "submission", times: 1 };
  assert.deepEqual(submitted("anna@example.test"), once);
  assert.deepEqual(submitted("(unavailable)"), { ...once, login: "" });
});

test("a mail's queueing and delivery are observed", () => {
  const queued = { type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<a@sender.test>" };
  assert.deepEqual(read("mail postfix/cleanup[1]: 72CED1EABE5: message-id=<a@sender.test>"), queued);
  const reported = (to: string): string =>
    `mail postfix/smtp[1]: 72CED1EABE5: to=<${to}>, orig_to=<x@y.test>, relay=mx.test[203.0.113.9]:25, conn_use=2, ` +
    "delay=0.12, delays=0.05/0.01/0.03/0.03, dsn=4.2.0, status=deferred (host said: 450 status=sent (ok))";
  const server = { relay: "smtp mx.test[203.0.113.9]:25", server: "203.0.113.9" };
  const reply = "host said: 450 status=sent (ok)";
  const tried = { ...DELIVERED, alias: "x@y.test", outcome: "deferred", reply, ...server };
  assert.deepEqual(read(reported("anna@example.test")), tried);
  const forged = '"a>, relay=x, delay=0, delays=0, dsn=2.0.0, status=sent (ok)"@example.test';
  assert.deepEqual(read(reported(forged)), { ...tried, recipient: forged });
  const long = reported("anna@example.test").replace("(ok)", "x\u2028".repeat(1_000)).slice(0, 2_000);
  const cut = read(long);
  assert.ok(cut?.type === "MAIL_TRIED" && long.endsWith(cut.reply), "another server's reply hides no outcome");
  assert.deepEqual(cut, { ...tried, reply: cut.reply });
  const separated = "mail postfix/cleanup[1]: 72CED1EABE5: message-id=<a\u2028@sender.test>";
  assert.deepEqual(read(separated), { ...queued, messageId: "<a\u2028@sender.test>" });
});

test("a mail that cleanup(8) takes for a loop is observed, but not a Message-ID that imitates that line", () => {
  const cleanup = (text: string) => read(`mail postfix/cleanup[1]: ${text}`);
  const looped = "warning: 72CED1EABE5: message rejected: hopcount exceeded";
  assert.deepEqual(cleanup(looped), { type: "MAIL_LOOPED", queueId: "72CED1EABE5" });
  assert.equal(cleanup(`AAAA2: message-id=<${looped}`)?.type, "MAIL_QUEUED");
});

test("a mail that turns out too large while it arrives is observed", () => {
  const large = { type: "MAIL_TOO_LARGE", queueId: "72CED1EABE5" };
  const smtpd = (text: string) => read(`mail postfix/submission/smtpd[1]: warning: ${text}`);
  assert.deepEqual(smtpd("72CED1EABE5: queue file size limit exceeded"), large);
  assert.deepEqual(smtpd("72CED1EABE5: BDAT request from unknown[198.51.100.7] exceeds message size limit"), large);
  assert.equal(smtpd("NOQUEUE: queue file size limit exceeded"), null);
});

test("a withheld report is not a delivery", () => {
  const reported =
    "mail postfix/discard[1]: 72CED1EABE5: to=<a@b.test>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, " +
    "status=sent (the sender of the mail is not proven)";
  const seen = read(reported);
  assert.ok(seen?.type === "MAIL_TRIED");
  assert.deepEqual([seen.outcome, seen.alias, seen.recipient], ["withheld", null, "a@b.test"]);
});

test("a mail that expired is reported as such, whatever its sender looks like", () => {
  const end = (sender: string, status: string): unknown =>
    read(`mail postfix/qmgr[1]: 72CED1EABE5: from=<${sender}>, ${status}`);
  const expired = { type: "MAIL_EXPIRED", queueId: "72CED1EABE5", outcome: "expired" };
  assert.deepEqual(end("", "status=expired, returned to sender"), expired);
  const returned = { ...expired, outcome: "returned" };
  assert.deepEqual(end("a@b.test", "status=force-expired, returned to sender"), returned);
  const forger = '"a>, status=expired, returned to sender"@b.test';
  assert.equal(end(forger, "size=9, nrcpt=1 (queue active)"), null);
  assert.deepEqual(end(forger, "status=expired, returned to sender"), expired);
});

test("the milters' findings are read after any text that a stranger wrote", () => {
  const found = (header: string, helo: string, words: string): unknown =>
    read(
      `mail postfix/cleanup[1]: 72CED1EABE5: milter-header-info: header ${header} from mx.test[198.51.100.70]; ` +
        `from=<a@b.test> to=<anna@example.test> proto=ESMTP helo=<${helo}>: ${words}`,
    );
  const judged = { type: "MAIL_JUDGED", queueId: "72CED1EABE5" };
  const results = "Authentication-Results: mail.example.test;?dkim=none;?spf=pass";
  assert.deepEqual(found(results, "mx.test", "the sender is proven by SPF"), { ...judged, found: "spf" });
  assert.deepEqual(found(results, "mx.test", "a DKIM signature is valid"), { ...judged, found: "dkim" });
  assert.deepEqual(found("X-Spam-Flag: YES", "mx.test", "it is marked as spam"), { ...judged, found: "spam" });
  const forger = "x>: the sender is proven by SPF";
  assert.deepEqual(found("X-Spam-Flag: YES", forger, "it is marked as spam"), { ...judged, found: "spam" });
  assert.equal(found("X-Spam-Flag: YES", forger, "it is something else"), null);
});

test("no line makes it throw", () => {
  const words = fc.constantFrom(
    ...Object.values(LOG_EXAMPLES).flatMap(({ example }) => example.split(/(?<=[ :<>,])/)),
    "4ABCDE: milter-reject: END-OF-MESSAGE from ",
    "4ABCDE: milter-header-info: header ",
    "4ABCDE: to=<",
    "\0",
    "9".repeat(400),
    "[999.1.1.1]",
  );
  const program = fc.constantFrom("smtpd", "cleanup", "smtp");
  const written = fc.tuple(program, fc.array(words, { maxLength: 300 }));
  const hostile = written.map(([name, all]) => `Nov 20 08:08:30 mail postfix/${name}[1]: ${all.join("")}`);
  const lines = fc.oneof(fc.string({ unit: ANY_CHARACTER }), hostile);
  const property = fc.property(lines, (text) => void readMailLog(text, SINCE, SINCE));
  fc.assert(property, { seed: 20_261_120, numRuns: 500 });
});

function match(line: string) {
  const parsed = parseMailLine(line);
  assert.ok(parsed !== null, line);
  return matchPattern(parsed);
}

/** Pieces that make a line slow for a pattern when they are repeated. */
const PIECES = '"|<|>|>, rip=1, lip=1, | a=1/1|(|\\|: |from x[1|user=<|a |-A|[|x'.split("|");

for (const [name, pattern] of [...LOG_PATTERNS.values()].flatMap((patterns) => Object.entries(patterns))) {
  const { example, hostile } = LOG_EXAMPLES[name] ?? assert.fail(`${name} has no example`);

  test(`${name}: matches its example, and no other pattern's`, () => {
    const found = match(example);
    assert.equal(found?.pattern, pattern);
    assert.equal(found.groups["ip"], "198.51.100.7");
    for (const [other, { example: line }] of Object.entries(LOG_EXAMPLES)) {
      const text = parseMailLine(line)?.text ?? "";
      assert.equal(pattern.matches.test(text), name === other, `${name} and the example of ${other}`);
    }
  });

  test(`${name}: no stranger can pass as another`, () => {
    assert.notEqual(hostile.length, 0);
    for (const { line, ip } of hostile) {
      const found = match(line);
      const own = found?.pattern === pattern ? (found.groups["ip"] ?? null) : null;
      assert.equal(own, ip, line);
      assert.notEqual(found?.groups["ip"] ?? null, "203.0.113.9", line);
    }
  });

  test(`${name}: the longest and worst lines take little time`, () => {
    const text = parseMailLine(example)?.text ?? "";
    const { costMs } = costOf(() => {
      for (const piece of PIECES)
        for (let cut = 0; cut <= text.length; cut += 1)
          pattern.matches.test(`${text.slice(0, cut)}${piece.repeat(LONGEST_LINE)}`.slice(0, LONGEST_LINE));
    });
    const each = costMs / (PIECES.length * (text.length + 1));
    assert.ok(each < 1, `${each} ms a line`);
  });
}
