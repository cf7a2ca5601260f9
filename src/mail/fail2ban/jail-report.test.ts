import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJailReport } from "./jail-report.ts";

const REPORT = {
  jail: "postfix",
  ip: "198.51.100.7",
  failures: 3,
  limit: 3,
  windowSeconds: 600,
  banSeconds: 600,
  lastAt: 1_795_171_958,
  lines: ["Nov 20 10:52:38 mail postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <x>"],
};

test("a report of Fail2ban's action", () => {
  const read = parseJailReport(JSON.stringify(REPORT));
  assert.deepEqual(read, {
    ok: true,
    report: {
      type: "JAIL_REPORTED",
      ip: "198.51.100.7",
      jail: "postfix",
      failures: 3,
      limit: 3,
      windowMs: 600_000,
      banMs: 600_000,
      lastAt: 1_795_171_958_000,
      clientName: null,
      lines: [{ text: REPORT.lines[0], at: new Date(2026, 10, 20, 10, 52, 38).getTime(), about: "log" }],
    },
  });
});

for (const [what, fields] of [
  ["no address", { ip: "mail.example.org" }],
  ["a jail of another grammar", { jail: "../etc" }],
  ["half an offence", { failures: 2.5 }],
  ["an endless ban", { banSeconds: 1e12 }],
  ["a time before all logs", { lastAt: -1 }],
  ["a line longer than a line", { lines: ["x".repeat(2_000)] }],
  ["more lines than a report has", { lines: Array.from({ length: 101 }, () => "x") }],
  ["an unknown field", { shell: "rm" }],
] as const)
  test(`${what} is refused`, () => assert.equal(parseJailReport(JSON.stringify({ ...REPORT, ...fields })).ok, false));

for (const text of ["", "{", "[]", "null", "7"])
  test(`${JSON.stringify(text)} is refused`, () => assert.equal(parseJailReport(text).ok, false));

const at = "Nov 20 10:52:38 mail postfix/smtpd[9]: ";
for (const [line, name] of [
  [`${at}NOQUEUE: reject: RCPT from mx.google.com[198.51.100.7]: 550 5.1.1 <x>`, "mx.google.com"],
  [`${at}warning: mx.google.com[198.51.100.7]: SASL PLAIN authentication failed:`, "mx.google.com"],
  [`${at}NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 helo=<mx.google.com[198.51.100.7]>`, null],
  [`${at}NOQUEUE: reject: RCPT from other.test[198.51.100.8]: helo=<mx.google.com[198.51.100.7]>`, null],
  ["Nov 20 10:52:38 imap-login: user=<mx.google.com[198.51.100.7]>", null],
] as const)
  test(`the client's name in ${line}`, () => {
    const read = parseJailReport(JSON.stringify({ ...REPORT, lines: [line] }));
    assert.equal(read.ok ? read.report.clientName : "refused", name);
  });
