import assert from "node:assert/strict";
import { test } from "node:test";
import { setZone } from "../../../test/kit/time-zone.ts";
import { instant } from "../../core/time.ts";
import { DECODED_IN_MEMORY, parseMailLine, timeOfLine } from "./log-line.ts";

test("Postfix: program, service and severity", () => {
  const line = (rest: string) => parseMailLine(`Nov 20 08:08:30 mail ${rest}`);
  const text = "connect from x[198.51.100.7]";
  const connected = { program: "smtpd", from: "postfix", service: "smtp", severity: "info", text };
  assert.deepEqual(line(`postfix/smtpd[12]: ${text}`), connected);
  assert.equal(line("postfix/submission/smtpd[12]: x")?.service, "submission");
  assert.equal(line("postfix/submissions/smtpd[12]: x")?.service, "submissions");
  assert.equal(line("postfix/cleanup[12]: x")?.service, null);
  assert.equal(line("postfix/smtpd[12]: warning: x")?.severity, "warning");
  assert.equal(line("postfix/master[12]: fatal: x")?.severity, "error");
  assert.equal(line("postfix/trivial-rewrite[12]: warning: x")?.severity, "warning");
  assert.equal(line("postfix/smtpd[12]: says error: x")?.severity, "info", "a severity comes first");
});

test("Dovecot: program and severity", () => {
  const line = (rest: string) => parseMailLine(`Nov  2 08:08:30 ${rest}`);
  const text = "Login: user=<a>";
  const signedIn = { program: "imap-login", from: "dovecot", service: "imap", severity: "info", text };
  assert.deepEqual(line(`imap-login: Info: ${text}`), signedIn);
  assert.equal(line("lmtp(anna@example.test)<12><abc:T1>: Error: x")?.severity, "error");
  assert.equal(line("master: Warning: Killed with signal 15")?.severity, "warning");
  assert.equal(line("imap(anna@example.test): Error: Mailbox a\u2028b: x")?.severity, "error");
});

test("Dovecot's complaint about the intentionally missing directory for decoded mail is not an error", () => {
  const severity = (text: string) => parseMailLine(`Nov  2 08:08:30 imap(a@b.test)<1><x/y>: Error: ${text}`)?.severity;
  const missing = `/srv/mail/etc/dovecot/${DECODED_IN_MEMORY}/dovecot.imap.`;
  for (const failed of [`istream-seekable: safe_mkstemp(${missing})`, `Temp file creation to ${missing}`])
    assert.equal(severity(`${failed} failed: No such file or directory`), "info");
  assert.equal(severity(`Temp file creation to ${missing} failed: Permission denied`), "error");
  assert.equal(severity(`open(x) failed: Temp file creation to ${missing} failed: No such file`), "error");
});

test("lines of neither program", () => {
  for (const line of [
    "",
    "postfix/smtpd[1]: no time",
    "Nov 20 08:08:30 mail other[1]: x",
    `Nov 20 08:08:30 mail postfix/smtpd[1]: ${"x".repeat(5_000)}`,
    "Nov 20 08:08:30 imap-login: Constructor: x",
  ])
    assert.equal(parseMailLine(line), null, line.slice(0, 60));
});

const NOW = instant(new Date(2026, 10, 20, 12, 0, 0).getTime());
const local = (...parts: readonly [number, number, number, number, number, number]): number =>
  new Date(...parts).getTime();

test("the time of a line, in each of the three forms", () => {
  assert.equal(timeOfLine("Nov 20 08:08:30 mail postfix/smtpd[1]: x", NOW), local(2026, 10, 20, 8, 8, 30));
  assert.equal(timeOfLine("Nov  2 08:08:30 imap-login: Info: x", NOW), local(2026, 10, 2, 8, 8, 30));
  assert.equal(timeOfLine("2026-11-20_08:08:30.12345 guard: x", NOW), Date.UTC(2026, 10, 20, 8, 8, 30, 123));
  assert.equal(timeOfLine("2026-11-20 08:08:30,123 fail2ban.jail: x", NOW), local(2026, 10, 20, 8, 8, 30) + 123);
});

test("a day later in the year was last year's, but tomorrow means that a clock was set", () => {
  assert.equal(timeOfLine("Dec 31 23:59:59 mail x", NOW), local(2025, 11, 31, 23, 59, 59));
  assert.equal(timeOfLine("Nov 21 08:00:00 mail x", NOW), local(2026, 10, 21, 8, 0, 0));
  const newYear = instant(local(2026, 11, 31, 23, 59, 59));
  assert.equal(timeOfLine("Jan  1 00:00:01 mail x", newYear), local(2027, 0, 1, 0, 0, 1));
});

test("a time in the hour that comes twice when summer time ends is the second, unless that is yet to come", (t) => {
  t.after(setZone("Europe/Berlin"));
  const at = (hour: number, minute: number) => instant(Date.UTC(2026, 9, 25, hour, minute));
  for (const line of ["Oct 25 02:30:00 mail x", "2026-10-25 02:30:00,000 fail2ban.jail: x"]) {
    assert.equal(timeOfLine(line, at(0, 45)), at(0, 30), "in summer time");
    assert.equal(timeOfLine(line, at(1, 45)), at(1, 30), "in winter time");
  }
  assert.equal(timeOfLine("Oct 25 03:30:00 mail x", at(9, 0)), at(2, 30));
  assert.equal(timeOfLine("Mar 29 03:30:00 mail x", at(9, 0)), Date.UTC(2026, 2, 29, 1, 30));
});

test("lines that do not start with a time", () => {
  for (const line of ["", "x", "Foo 20 08:08:30 mail", "2026-99-20_08:08:30.1 x", " Nov 20 08:08:30 mail"])
    assert.equal(timeOfLine(line, NOW), null, line);
});
