import assert from "node:assert/strict";
import { test } from "node:test";
import { DATA, MAIL, MESSAGE, NOON, RECIPIENT } from "../../../test/kit/samples.ts";
import { decision, type Verdict } from "../../core/decide/decision.ts";
import { NO_SENDING } from "../../core/decide/facts.ts";
import type { Connect } from "../../core/events/connection.ts";
import type { SmtpEvent } from "../../core/events/event.ts";
import { later, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { NamedRecipients, SmtpProgress, SmtpSessions } from "./smtp-sessions.ts";

test("notices a bounce that names a different recipient, but neither a repeated question nor the next mail", () => {
  const sessions = new SmtpSessions();
  const mail = { session: "203.0.113.7 40000", transaction: "a1.1", recipient: "anna@example.org", sender: "" };
  assert.equal(sessions.hasOther(mail), false);
  sessions.addToGroup(mail);
  assert.equal(sessions.hasOther(mail), false, "Postfix asks again when no answer came");
  assert.equal(sessions.hasOther({ ...mail, recipient: "ANNA@example.org" }), false, "the same mailbox");
  assert.equal(sessions.hasOther({ ...mail, recipient: "bert@example.org" }), true);
  sessions.addToGroup({ ...mail, recipient: "bert@example.org" });
  assert.equal(sessions.hasOther(mail), false, "the first stays");
  assert.equal(sessions.hasOther({ ...mail, transaction: "a1.2", recipient: "bert@example.org" }), false);
  assert.equal(sessions.hasOther({ ...mail, session: "203.0.113.7 40001", recipient: "bert@example.org" }), false);
  sessions.begin(mail.session);
  assert.equal(sessions.hasOther({ ...mail, recipient: "bert@example.org" }), false, "a reused port");
});

test("a mail may name one extension of each mailbox, and any mailbox without an extension", () => {
  const sessions = new SmtpSessions();
  const to = (recipient: string) => ({ ...MAIL, recipient });
  sessions.addToGroup(to("anna+shop@example.org"));
  const refused = ["Anna+bank@example.org", "anna+shop@example.org", "anna@example.org", "bert+x@example.org"].map(
    (one) => sessions.hasOther(to(one)),
  );
  assert.deepEqual(refused, [true, false, false, false]);
  for (let i = 0; i < 20; i++) sessions.addToGroup(to(`a${i}+x@example.org`));
  const last = ["a18+x@example.org", "a19+x@example.org"].map((one) => sessions.hasOther(to(one)));
  assert.deepEqual(last, [false, true], "with many mailboxes, the rest come in another mail");
});

test("an active connection stays in memory, whatever comes after it", () => {
  const sessions = new SmtpSessions();
  const name = (port: number, transaction = "a"): void =>
    sessions.addToGroup({ session: `203.0.113.7 ${port}`, transaction, recipient: "one@example.org", sender: "" });
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
    sessions.hasOther({ session: `203.0.113.7 ${port}`, transaction, recipient: "other@example.org", sender: "" });
  assert.deepEqual([hasOther(0, "b"), hasOther(1, "a"), hasOther(2, "a")], [true, false, true]);
});

const CONNECT: Connect = { type: "CONNECT", ...MAIL };
const CONNECTION = "203.0.113.7 40000 25";

/** Events one second apart, of which all but the last pass; returns the known progress this much later. */
function progress(events: readonly SmtpEvent[], afterMs = 0, lastVerdict: Verdict = "pass") {
  const seen = new SmtpProgress();
  const last = events.length - 1;
  for (const [i, event] of events.entries())
    seen.update(event, i === last ? lastVerdict : "pass", later(NOON, i * SECOND_MS));
  const found = seen.of(CONNECTION, later(NOON, last * SECOND_MS + afterMs));
  return found === null ? null : { atMs: found.at - NOON, isTransferring: found.isTransferring };
}

test("the first accepted recipient is progress; a refused one is not, nor is a second, nor refused DATA", () => {
  assert.deepEqual(progress([CONNECT, RECIPIENT], 0, "refuse"), { atMs: 0, isTransferring: false });
  assert.deepEqual(progress([CONNECT, RECIPIENT]), { atMs: 1_000, isTransferring: false });
  assert.deepEqual(progress([CONNECT, RECIPIENT, RECIPIENT]), { atMs: 1_000, isTransferring: false });
  assert.deepEqual(progress([CONNECT, DATA], 0, "defer"), { atMs: 0, isTransferring: false });
});

test("a transfer, also of a mail that will be held, counts for at most ten minutes, and for a minute after its end", () => {
  const started = [CONNECT, RECIPIENT, DATA];
  assert.deepEqual(progress(started, 0, "hold"), { atMs: 2_000, isTransferring: true });
  assert.deepEqual(progress(started, 10 * MINUTE_MS - 1), { atMs: 2_000, isTransferring: true });
  assert.deepEqual(progress(started, 10 * MINUTE_MS), { atMs: 2_000, isTransferring: false });
  const ended = [...started, MESSAGE];
  assert.deepEqual(progress(ended, MINUTE_MS - 1), { atMs: 3_000, isTransferring: true });
  assert.deepEqual(progress(ended, MINUTE_MS), { atMs: 3_000, isTransferring: false });
});

test("a flood of connections drops no transfer; a reused port starts without one", () => {
  const seen = new SmtpProgress();
  for (const event of [CONNECT, RECIPIENT, DATA]) seen.update(event, "pass", NOON);
  for (let port = 0; port <= 4_096; port++)
    seen.update({ ...CONNECT, session: `198.51.100.7 ${port} 25 203.0.113.1` }, "pass", NOON);
  assert.equal(seen.of(CONNECTION, NOON)?.isTransferring, true);
  assert.equal(seen.of("198.51.100.7 0 25", NOON), null);
  seen.update(CONNECT, "pass", NOON);
  assert.equal(seen.of(CONNECTION, NOON)?.isTransferring, false);
});

const FIRST = { session: "203.0.113.7 40000", transaction: "a1.1" };
const SECOND = { ...FIRST, transaction: "a1.2" };
const OTHER = { session: "203.0.113.7 40001", transaction: "a2.1" };

test("the recipients of the mail in flight, without those of an aborted mail", () => {
  const named = new NamedRecipients();
  assert.deepEqual(named.of(SECOND), []);
  named.add(FIRST, "given-up@example.net", "stranger");
  named.add(SECOND, "first@example.net", "stranger");
  named.add(SECOND, "second@example.net", "stranger");
  named.add(OTHER, "other@example.net", "stranger");
  assert.deepEqual(named.of(SECOND), ["first@example.net", "second@example.net"]);
  assert.deepEqual(named.of(FIRST), []);
  named.update({ ...MESSAGE, ...SECOND }, decision("pass", "below_limit"), NO_SENDING);
  assert.deepEqual(named.of(SECOND), []);
  assert.deepEqual(named.of(OTHER), ["other@example.net"]);
});

test("the memory for recipients and for connections is bounded", () => {
  const named = new NamedRecipients();
  for (let n = 0; n <= 100; n++) named.add(FIRST, `${n}`, "stranger");
  assert.equal(named.of(FIRST).length, 100);
  for (let n = 0; n < 256; n++) named.add({ session: `${n}`, transaction: "b" }, "one", "stranger");
  assert.deepEqual(named.of(FIRST), []);
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one"]);
  named.add({ session: "0", transaction: "b" }, "two", "stranger");
  named.add({ session: "last", transaction: "b" }, "one", "stranger");
  assert.deepEqual(named.of({ session: "0", transaction: "b" }), ["one", "two"], "the active one stays");
  assert.deepEqual(named.of({ session: "1", transaction: "b" }), []);
});

test("counts recipients by kind; recipients that were not named here are unknown", () => {
  const named = new NamedRecipients();
  named.add(FIRST, "a@example.org", "local");
  named.add(FIRST, "b@example.net", "written");
  named.add(FIRST, "c@example.net", "stranger");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 3, written: 1, strangers: 1 });
  assert.deepEqual(named.counts(FIRST, 3), { recipients: 3, written: 1, strangers: 1 });
  assert.deepEqual(named.counts(FIRST, 5), { recipients: 5, written: 1, strangers: 3 }, "as after a restart");
  assert.deepEqual(named.counts(FIRST, 2), { recipients: 2, written: 1, strangers: 1 }, "no fewer than were named");
  assert.deepEqual(named.counts(SECOND, null), { recipients: 0, written: 0, strangers: 0 });
  assert.deepEqual(named.counts(SECOND, 2), { recipients: 2, written: 0, strangers: 2 });
});

test("a held mail stays held until it ends, and the next one in its connection is separate", () => {
  const named = new NamedRecipients();
  const hold = (): void =>
    named.update({ ...DATA, ...FIRST, account: "anna@example.org" }, decision("hold", "account_held"), NO_SENDING);
  hold();
  assert.equal(named.isHeld(FIRST), false, "no recipient was named");
  named.add(FIRST, "a@example.net", "stranger");
  hold();
  assert.deepEqual([named.isHeld(FIRST), named.isHeld(SECOND)], [true, false]);
  named.add(SECOND, "a@example.net", "stranger");
  assert.deepEqual([named.isHeld(FIRST), named.isHeld(SECOND)], [false, false]);
});

test("a recipient that will be decided again is not counted twice", () => {
  const named = new NamedRecipients();
  named.undoAdd(FIRST, "nobody@example.net");
  named.add(FIRST, "friend@example.net", "written");
  named.add(FIRST, "eve@example.net", "stranger");
  named.undoAdd(FIRST, "friend@example.net");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 2, written: 1, strangers: 1 }, "not the last");
  named.undoAdd(FIRST, "eve@example.net");
  named.undoAdd(FIRST, "eve@example.net");
  assert.deepEqual(named.counts(FIRST, null), { recipients: 1, written: 1, strangers: 0 });
  assert.deepEqual(named.of(FIRST), ["friend@example.net"]);
});
