import assert from "node:assert/strict";
import { test } from "node:test";
import { isQueueId, mailNames, queuedDetails, triedDetails } from "./mail-trace.ts";

test("what is written is read again", () => {
  const queued = queuedDetails({ type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<a b@sender.test>" });
  assert.deepEqual(mailNames("EMAIL_QUEUED", queued), { queueId: "72CED1EABE5", messageId: "<a b@sender.test>" });
  const tried = triedDetails({
    type: "MAIL_TRIED",
    queueId: "72CED1EABE5",
    recipient: "anna@example.test",
    alias: null,
    outcome: "sent",
    relay: "lmtp private/dovecot-lmtp",
    reply: "250 Saved",
    server: null,
  });
  assert.deepEqual(mailNames("EMAIL_DELIVERED", tried), { queueId: "72CED1EABE5", messageId: "" });
});

test("the names in the events of the guard, the milters and the filter", () => {
  const accepted = "smtp from=<a@b.test> to=<anna@example.test> size=12 queue_id=72CED1EABE5";
  assert.deepEqual(mailNames("EMAIL_ACCEPTED", accepted), { queueId: "72CED1EABE5", messageId: "" });
  const refused = "smtp from=<a@b.test> to=<anna@example.test> queue_id=72CED1EABE5: Message content refused";
  assert.deepEqual(mailNames("EMAIL_BLOCKED", refused), { queueId: "72CED1EABE5", messageId: "" });
  const scored = "score=5.9 required=5 message_id=<x@y.test> to=<anna@example.test>";
  assert.deepEqual(mailNames("SPAM_SCORED", scored), { queueId: "", messageId: "<x@y.test>" });
  assert.equal(mailNames("CONNECT", "smtp queue_id=72CED1EABE5"), null);
});

test("a sender who writes the name of another mail into an address is not taken for it", () => {
  const forged = 'smtp from=<"x queue_id=AAAAAAAAAAA"@b.test> to=<anna@example.test> size=12 queue_id=72CED1EABE5';
  assert.equal(mailNames("EMAIL_ACCEPTED", forged)?.queueId, "72CED1EABE5");
  const message = queuedDetails({ type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "x queue_id=AAAAAAAAAAA" });
  assert.equal(mailNames("EMAIL_QUEUED", message)?.queueId, "72CED1EABE5");
});

test("what a queue id looks like", () => {
  for (const id of ["72CED1EABE5", "4ZzQ0v1Jc3z9Xk2"]) assert.ok(isQueueId(id), id);
  for (const id of ["", "NO", "a@b.test", "<72CED1EABE5>", "72CED1EABE5 x"]) assert.ok(!isQueueId(id), id);
});

test("a refused mail names its queue id at the end or before the reason; a score without a Message-ID names nothing", () => {
  const blocked = "smtp from=<a@b.test> to=<anna@example.test> size=12 queue_id=72CED1EABE5";
  assert.deepEqual(mailNames("EMAIL_BLOCKED", blocked), { queueId: "72CED1EABE5", messageId: "" });
  assert.equal(mailNames("EMAIL_BLOCKED", "smtp from=<a@b.test> to=<anna@example.test>"), null);
  assert.equal(mailNames("SPAM_SCORED", "score=5.9 required=5 message_id="), null);
  assert.equal(mailNames("SPAM_SCORED", "nonsense"), null);
});

test("what a stranger wrote is cut at the length of the longest address", () => {
  const queued = (length: number): string =>
    queuedDetails({ type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "x".repeat(length) });
  assert.ok(queued(320).endsWith("=" + "x".repeat(320)));
  assert.ok(queued(321).endsWith("x…"));
});
