import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMailLine } from "./log-line.ts";

test("Postfix: program, door and severity", () => {
  const line = (rest: string) => parseMailLine(`Nov 20 08:08:30 mail ${rest}`);
  assert.deepEqual(line("postfix/smtpd[12]: connect from x[198.51.100.7]"), {
    program: "smtpd",
    from: "postfix",
    service: "smtp",
    severity: "info",
    text: "connect from x[198.51.100.7]",
  });
  assert.equal(line("postfix/submission/smtpd[12]: x")?.service, "submission");
  assert.equal(line("postfix/submissions/smtpd[12]: x")?.service, "submissions");
  assert.equal(line("postfix/cleanup[12]: x")?.service, null);
  assert.equal(line("postfix/smtpd[12]: warning: x")?.severity, "warning");
  assert.equal(line("postfix/master[12]: fatal: x")?.severity, "error");
  assert.equal(line("postfix/smtpd[12]: says error: x")?.severity, "info", "a severity stands first");
});

test("Dovecot: program and severity", () => {
  const line = (rest: string) => parseMailLine(`Nov  2 08:08:30 ${rest}`);
  assert.deepEqual(line("imap-login: Info: Login: user=<a>"), {
    program: "imap-login",
    from: "dovecot",
    service: "imap",
    severity: "info",
    text: "Login: user=<a>",
  });
  assert.equal(line("lmtp(anna@example.test)<12><abc:T1>: Error: x")?.severity, "error");
  assert.equal(line("master: Warning: Killed with signal 15")?.severity, "warning");
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
