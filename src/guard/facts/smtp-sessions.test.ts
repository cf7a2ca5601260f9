import assert from "node:assert/strict";
import { test } from "node:test";
import { SmtpSessions } from "./smtp-sessions.ts";

test("mails are counted by connection, and a reused port starts at zero", () => {
  const sessions = new SmtpSessions();
  for (let i = 0; i < 3; i++) sessions.addMail("203.0.113.7 40000");
  assert.equal(sessions.mails("203.0.113.7 40000"), 3);
  assert.equal(sessions.mails("203.0.113.7 40001"), 0);
  sessions.begin("203.0.113.7 40000");
  assert.equal(sessions.mails("203.0.113.7 40000"), 0);
});

test("marks a mail whose session named a different sender before, but not a repeated question or the next mail", () => {
  const sessions = new SmtpSessions();
  const mail = { session: "203.0.113.7 40000", transaction: "a1.1", recipient: "anna@example.org" };
  assert.equal(sessions.hasOther(mail), false);
  sessions.nameBounce(mail);
  assert.equal(sessions.hasOther(mail), false, "Postfix asks again when no answer came");
  assert.equal(sessions.hasOther({ ...mail, recipient: "bert@example.org" }), true);
  sessions.nameBounce({ ...mail, recipient: "bert@example.org" });
  assert.equal(sessions.hasOther(mail), false, "the first stays");
  assert.equal(sessions.hasOther({ ...mail, transaction: "a1.2", recipient: "bert@example.org" }), false);
  assert.equal(sessions.hasOther({ ...mail, session: "203.0.113.7 40001", recipient: "bert@example.org" }), false);
  sessions.begin(mail.session);
  assert.equal(sessions.hasOther({ ...mail, recipient: "bert@example.org" }), false, "a reused port");
});

test("a flood of bounces displaces the oldest", () => {
  const sessions = new SmtpSessions();
  const mail = { transaction: "a1.1", recipient: "anna@example.org" };
  for (let port = 0; port <= 4_096; port++) sessions.nameBounce({ ...mail, session: `203.0.113.7 ${port}` });
  const other = { ...mail, recipient: "bert@example.org" };
  assert.equal(sessions.hasOther({ ...other, session: "203.0.113.7 0" }), false);
  assert.equal(sessions.hasOther({ ...other, session: "203.0.113.7 1" }), true);
});

test("a flood of connections displaces the oldest", () => {
  const sessions = new SmtpSessions();
  for (let port = 0; port <= 4_096; port++) sessions.addMail(`203.0.113.7 ${port}`);
  assert.equal(sessions.mails("203.0.113.7 0"), 0);
  assert.equal(sessions.mails("203.0.113.7 4096"), 1);
});

test("an active connection stays in memory, whatever comes after it", () => {
  const sessions = new SmtpSessions();
  const name = (port: number, transaction = "a"): void =>
    sessions.nameBounce({ session: `203.0.113.7 ${port}`, transaction, recipient: "one@example.org" });
  for (let port = 0; port < 4_096; port++) {
    sessions.addMail(`203.0.113.7 ${port}`);
    name(port);
  }
  sessions.addMail("203.0.113.7 0");
  name(0, "b");
  sessions.addMail("203.0.113.7 9999");
  name(9_999);
  assert.deepEqual([sessions.mails("203.0.113.7 0"), sessions.mails("203.0.113.7 1")], [2, 0]);
  const hasOther = (port: number, transaction: string): boolean =>
    sessions.hasOther({ session: `203.0.113.7 ${port}`, transaction, recipient: "other@example.org" });
  assert.deepEqual([hasOther(0, "b"), hasOther(1, "a"), hasOther(2, "a")], [true, false, true]);
});
