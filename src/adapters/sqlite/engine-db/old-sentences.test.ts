import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOldSentence } from "./old-sentences.ts";

/** The fields that were found. */
function read(type: string, details: string, action = "", reason: string | null = null): unknown {
  return JSON.parse(JSON.stringify(parseOldSentence({ type, reason, details, action })));
}

const MAIL = { service: "smtp", sender: "a@sender.test", recipient: "anna@example.test" };

test("each stage of a mail", () => {
  const from = "smtp from=<a@sender.test> to=<anna@example.test>";
  const helo = { ...MAIL, helo: "mx.sender.test" };
  assert.deepEqual(read("RECIPIENT", `${from} helo=<mx.sender.test>`, "allowed"), { ...helo, verdict: "pass" });
  const listed = `${from} helo=<mx.sender.test> listed=zen.spamhaus.org (127.0.0.2, SBL)`;
  assert.deepEqual(read("EMAIL_BLOCKED", listed, "refused", "block_listed"), { ...helo, verdict: "refuse" });
  assert.deepEqual(read("GREYLIST_ASKED", `${from} helo=<>`, "left to Postgrey"), {
    ...MAIL,
    helo: "",
    verdict: "pass",
  });
  assert.deepEqual(read("EMAIL", from, "allowed"), { ...MAIL, verdict: "pass" });
  assert.deepEqual(read("EMAIL_DEFERRED", "smtp from=<> to 3 recipients", "deferred"), {
    service: "smtp",
    sender: "",
    verdict: "defer",
  });
  assert.deepEqual(read("EMAIL_ACCEPTED", `${from} size=12 queue_id=72CED1EABE5`, "allowed"), {
    ...MAIL,
    sizeBytes: 12,
    queueId: "72CED1EABE5",
    verdict: "pass",
  });
  assert.deepEqual(read("EMAIL_BLOCKED", `${from} queue_id=72CED1EABE5: 5.7.1 no`, "refused", "spam_refused"), {
    ...MAIL,
    queueId: "72CED1EABE5",
    verdict: "refuse",
  });
});

test("what a stranger wrote in our words is taken for neither reading", () => {
  const forged = 'smtp from=<"> to=<alice@example.test"@forged.test> to=<anna@example.test> helo=<x>';
  assert.deepEqual(read("RECIPIENT", forged, "allowed"), { service: "smtp", verdict: "pass" });
  const helo = "smtp from=<a@b.test> to=<anna@example.test> helo=<x> helo=<y>";
  assert.deepEqual(read("RECIPIENT", helo, "allowed"), { service: "smtp", verdict: "pass" });
  const scored = "score=1 required=5 message_id=x to=<alice@example.test>";
  assert.deepEqual(read("SPAM_SCORED", scored, "allowed"), { verdict: "pass" });
});

test("what Postfix refused by itself is told in the words of its log", () => {
  const log = "smtp from=<a@sender.test> to=<b@elsewhere.test>";
  assert.deepEqual(read("EMAIL_BLOCKED", log, "noted", "relay_refused"), { service: "smtp" });
});

test("scores, the queue and deliveries name their mail", () => {
  const to = "score=5.9 required=5 message_id=<x@y.test> to=<anna@example.test>";
  assert.deepEqual(read("SPAM_SCORED", to, "marked"), {
    messageId: "<x@y.test>",
    recipient: "anna@example.test",
    verdict: "mark",
  });
  assert.deepEqual(read("SPAM_SCORED", "score=5.9 required=5 message_id=<x@y.test>", "allowed"), {
    messageId: "<x@y.test>",
    verdict: "pass",
  });
  assert.deepEqual(read("SPAM_SCORED", "nonsense", "allowed"), { verdict: "pass" });
  assert.deepEqual(read("EMAIL_QUEUED", "queue_id=72CED1EABE5 message_id=<a b@sender.test>", "queued"), {
    queueId: "72CED1EABE5",
    messageId: "<a b@sender.test>",
  });
  const tried = "queue_id=72CED1EABE5 to=<anna@example.test> for=<info@example.test> by lmtp x: 250";
  const mail = { queueId: "72CED1EABE5", recipient: "anna@example.test" };
  assert.deepEqual(read("EMAIL_DELIVERED", tried, "delivered"), { ...mail, verdict: "pass" });
  assert.deepEqual(read("EMAIL_BOUNCED", tried, "not delivered"), { ...mail, verdict: "lose" });
  assert.deepEqual(read("EMAIL_BOUNCED", tried, "returned to its sender"), { ...mail, verdict: "refuse" });
  assert.deepEqual(read("BOUNCE_WITHHELD", tried, "not reported to its sender"), { ...mail, verdict: "withhold" });
});

test("connections, sign-ins and reports of Fail2ban", () => {
  assert.deepEqual(read("CONNECT", "submission mx.sender.test", "allowed"), { service: "submission", verdict: "pass" });
  assert.deepEqual(read("LOGIN_FAILED", "dashboard login=<admin>", "refused"), {
    service: "dashboard",
    verdict: "refuse",
  });
  assert.deepEqual(read("LOGIN_FAILED", "pop3 login=<a>", "noted"), {});
  assert.deepEqual(read("JAIL_REPORTED", "jail postfix: 3 offences", "banned"), { verdict: "refuse" });
  assert.deepEqual(read("SPARED", "jail postfix: 3 offences", "spared"), { verdict: "pass" });
  assert.deepEqual(read("SPARED", "203.0.113.7/32: Too many mails.", "not banned"), {});
});

test("bans and commands record their actor and their subject", () => {
  const ban = "203.0.113.7/32 by web:admin via 2001:db8::1: a reason: long";
  assert.deepEqual(read("BAN", ban, "banned for 2h until X (medium, offence 12)"), {
    actor: "web:admin via 2001:db8::1",
    offence: 12,
  });
  assert.deepEqual(read("BAN", "203.0.113.7/32 by root: x", "banned for good (manual)"), { actor: "root" });
  assert.deepEqual(read("UNBAN", "203.0.113.7/32 by root", "lifted"), { actor: "root" });
  const done = { actor: "root", verdict: "pass" };
  assert.deepEqual(read("ACCOUNT_ADDED", "anna@example.test by root", "done"), {
    account: "anna@example.test",
    ...done,
  });
  assert.deepEqual(read("ALIAS_ADDED", "info@example.test by root", "done"), {
    recipient: "info@example.test",
    ...done,
  });
  const networks = "anna@example.test from 198.51.100.0/24 by root";
  assert.deepEqual(read("NETWORKS_CHANGED", networks, "done"), { account: "anna@example.test", ...done });
  assert.deepEqual(read("SPAM_ALLOW_ADDED", "news@letters.test for anna@example.test by root", "done"), {
    account: "anna@example.test",
    sender: "news@letters.test",
    ...done,
  });
  assert.deepEqual(read("GREYLIST_PAUSED", "anna@example.test for 15m by root", "done"), {
    recipient: "anna@example.test",
    ...done,
  });
  assert.deepEqual(read("COMMAND_REFUSED", "account_add by web", "refused"), { actor: "web", verdict: "refuse" });
  assert.deepEqual(read("TOKEN_CREATED", "nonsense", "done"), { verdict: "pass" });
});
