import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { readMilterReject } from "./content-filter-log.ts";

const line = (status: string, reply: string, from = "boss@strict.test"): string =>
  `Nov 20 08:08:30 mail postfix/cleanup[11894]: EC08F19478D: milter-reject: END-OF-MESSAGE from unknown[198.51.100.70]: ${status} ${reply}; from=<${from}> to=<anna@example.test> proto=ESMTP helo=<client.test>`;
const read = (text: string): unknown => readMilterReject(text, "Message content refused");

test("a refusal by DMARC and one by score", () => {
  const about = {
    type: "CONTENT_REFUSED",
    ip: "198.51.100.70",
    queueId: "EC08F19478D",
    sender: "boss@strict.test",
    recipient: "anna@example.test",
    account: null,
  };
  const dmarc = "rejected by DMARC policy for strict.test";
  assert.deepEqual(read(line("5.7.1", dmarc)), { ...about, reply: dmarc, reason: "dmarc_refused" });
  const spam = "Message content refused";
  assert.deepEqual(read(line("5.7.1", spam, "")), { ...about, sender: "", reply: spam, reason: "spam_refused" });
});

test("a quoted sender may contain a bracket", () => {
  const seen = readMilterReject(
    line("5.7.1", "Message content refused", '"a>b"@strict.test'),
    "Message content refused",
  );
  assert.deepEqual(seen?.type === "CONTENT_REFUSED" && seen.sender, '"a>b"@strict.test');
});

test("a mail without a certain author, and one of an account whose author is not its own", () => {
  const seen = readMilterReject(line("5.7.1", "The header must name its author once, as in From: x"), "");
  assert.ok(seen?.type === "CONTENT_REFUSED");
  assert.deepEqual([seen.reason, seen.account], ["author_unclear", null]);
  const reply = "Not sent for anna@example.test: From: names ceo@bank.test, which is not an address of this account";
  const own = readMilterReject(line("5.7.1", reply, "anna@example.test"), "");
  assert.ok(own?.type === "CONTENT_REFUSED");
  assert.deepEqual([own.reason, own.account, own.reply], ["author_not_own", "anna@example.test", reply]);
});

test("a mail that a filter wants again later, and one that it refuses in its own words", () => {
  for (const [status, reply, reason] of [
    ["4.7.1", "Service unavailable - try again later", "filter_deferred"],
    ["4.7.1", "Not sent for a@b.test: x", "filter_deferred"],
    ["5.7.1", "Command rejected", "filter_refused"],
  ] as const) {
    const seen = readMilterReject(line(status, reply), "Message content refused");
    assert.ok(seen?.type === "CONTENT_REFUSED");
    assert.deepEqual([seen.reason, seen.reply, seen.account], [reason, reply, null]);
  }
});

test("other lines, and a sender who writes such a line into an address", () => {
  assert.equal(read("Nov 20 08:08:30 mail postfix/qmgr[1]: EC08F19478D: removed"), null);
  const forged = `Nov 20 08:08:30 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[203.0.113.9]: 550 <${line("5.7.1", "Message content refused")}>`;
  assert.equal(read(forged), null);
});

test("no line whatsoever makes it throw", () => {
  const words = fc.constantFrom(
    "spamd: result: ",
    "milter-reject: ",
    "mid=",
    "[1]",
    " info: ",
    ",",
    "<",
    ">",
    ";",
    "\0",
    "9".repeat(400),
  );
  const lines = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.array(words, { maxLength: 2_000 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(lines, (text) => {
      const seen = read(text);
      assert.ok(seen === null || typeof seen === "object");
    }),
    { seed: 20_261_120, numRuns: 300 },
  );
});
