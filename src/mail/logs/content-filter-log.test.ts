import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { instant } from "../../core/time.ts";
import { SpamdLog } from "./content-filter-log.ts";
import { readMailLog } from "./mail-log.ts";

const line = (status: string, reply: string, from = "boss@strict.test"): string =>
  `Nov 20 08:08:30 mail postfix/cleanup[11894]: EC08F19478D: milter-reject: END-OF-MESSAGE from unknown[198.51.100.70]: ${status} ${reply}; from=<${from}> to=<anna@example.test> proto=ESMTP helo=<client.test>`;
const read = (...of: Parameters<typeof line>) => readMailLog(line(...of), instant(0), instant(0));
const SPAM = "Message content refused";
const ACCOUNT = "anna@example.test";
const OF_MAIL = { sender: "boss@strict.test", recipient: ACCOUNT, account: null, service: "smtp" };
const REFUSED = { type: "CONTENT_REFUSED", ip: "198.51.100.70", queueId: "EC08F19478D", ...OF_MAIL };
const NOT_OWN = `Not sent for ${ACCOUNT}: From: names ceo@bank.test, which is not an address of this account`;
const OF_ACCOUNT = { reason: "author_not_own", account: ACCOUNT, service: "submission" };
const DMARC = "rejected by DMARC policy for strict.test";
const UNCLEAR = "The header must name its author once, as in From: x";

for (const [what, status, reply, expected] of [
  ["by DMARC", "5.7.1", DMARC, { reason: "dmarc_refused" }],
  ["by score", "5.7.1", SPAM, { reason: "spam_refused" }],
  ["without a certain author", "5.7.1", UNCLEAR, { reason: "author_unclear" }],
  ["of an account whose author is not its own", "5.7.1", NOT_OWN, OF_ACCOUNT],
  ["in a filter's own words", "5.7.1", "Command rejected", { reason: "filter_refused" }],
  ["for now", "4.7.1", "Service unavailable - try again later", { reason: "filter_deferred" }],
  ["for now, of an account", "4.7.1", NOT_OWN, { reason: "filter_deferred" }],
] as const)
  test(`a milter's refusal ${what}`, () => assert.deepEqual(read(status, reply), { ...REFUSED, reply, ...expected }));

test("a refused sender may be empty, or quoted with a bracket", () => {
  for (const sender of ["", '"a>b"@strict.test'])
    assert.deepEqual(read("5.7.1", SPAM, sender), { ...REFUSED, sender, reply: SPAM, reason: "spam_refused" });
});

test("refusals of the guard's own milter are not read again, nor are milter lines that a client's address imitates", () => {
  assert.equal(read("5.7.1", "Too many header lines"), null);
  assert.equal(read("4.3.2", "Too much mail at once, try again later"), null);
  const forged = `Nov 20 08:08:30 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[203.0.113.9]: 550 <${line("5.7.1", SPAM)}>`;
  assert.equal(readMailLog(forged, instant(0), instant(0)), null);
});

const STAMP = "2026-11-20_08:08:30.92822";
const result = (fields: string): string =>
  `${STAMP} [11884] info: spamd: result: ${fields},rhost=localhost,raddr=127.0.0.1,rport=/srv/socket,mid=<a@b.example>,autolearn=no autolearn_force=no`;

const SCORED = { type: "SPAM_SCORED", required: 5, messageId: "<a@b.example>" };
const FOUND = result("Y 5 - GTUBE,MISSING_DATE scantime=0.1,size=154,user=anna@example.org,uid=111,required_score=5.0");

test("spamd's two lines about a mail make one observation with the exact score", () => {
  const log = new SpamdLog();
  const identified = `${STAMP} [11884] info: spamd: identified spam (5.9/5.0) for anna@example.org:111 in 0.1 seconds, 154 bytes.`;
  assert.equal(log.read(identified), null);
  const scored = { ...SCORED, recipient: "anna@example.org" };
  assert.deepEqual(log.read(FOUND), { ...scored, score: 5.9 });
  assert.deepEqual(log.read(FOUND), { ...scored, score: 5 }, "the exact score belongs to one mail only");
});

test("a score may be negative, without a rule that hit, and for several recipients", () => {
  const log = new SpamdLog();
  const seen = log.read(result(". -2 -  scantime=0.0,size=683,user=nobody,uid=111,required_score=5.0"));
  assert.deepEqual(seen, { ...SCORED, score: -2, recipient: null });
});

test("no Message-ID hides a score: neither one with a line separator nor a very long one", () => {
  for (const id of ["a\u2028b", "a\u2029b", "a".repeat(5_000)]) {
    const seen = new SpamdLog().read(FOUND.replace("a@b.example", id));
    assert.ok(seen?.type === "SPAM_SCORED" && `<${id}>`.startsWith(seen.messageId), id.slice(0, 10));
  }
});

test("other lines of spamd, and a Message-ID that imitates one, are ignored", () => {
  const log = new SpamdLog();
  for (const line of [
    "",
    `${STAMP} [1] info: prefork: child states: I`,
    `${STAMP} [1] info: spamd: processing message <x spamd: result: Y 99 - A scantime=1> for a@b.c:1`,
    `${STAMP} [1] warn: spamd: result: Y 5 - A scantime=0.1,size=1,user=a,uid=1,required_score=5.0,x=,mid=<a>,autolearn=no`,
  ])
    assert.equal(log.read(line), null, line);
});

test("no line makes it throw", () => {
  const words = fc.constantFrom("spamd: result: ", "mid=", "[1]", " info: ", ",", "<", ">", "\0", "9".repeat(400));
  const hostile = fc.array(words, { maxLength: 2_000 }).map((all) => all.join(""));
  const lines = fc.oneof(fc.string({ unit: ANY_CHARACTER }), hostile);
  const property = fc.property(lines, (text) => void new SpamdLog().read(text));
  fc.assert(property, { seed: 20_261_120, numRuns: 300 });
});
