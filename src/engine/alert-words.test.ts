import assert from "node:assert/strict";
import { test } from "node:test";
import { instant } from "../core/time.ts";
import type { Alert } from "./alert-ports.ts";
import { bodyWithin, digestOf, openedMessage, resolvedMessage, textWithin } from "./alert-words.ts";

const alert: Alert = {
  code: "password_guessed",
  subject: `anna\u001b[31m@example.test${"x".repeat(5_000)}`,
  detail: `from\r\nBcc: victim@elsewhere.example\n\n${"y".repeat(5_000)}`,
  openedAt: instant(1_000),
  lastAt: instant(61_000),
  resolvedAt: instant(121_000),
};

test("an alert says what happened, why it matters and what to do", () => {
  const { title, body, severity, id } = openedMessage({ ...alert, subject: "anna@example.test", detail: "from there" });
  assert.equal(title, "A sign-in succeeded after many wrong passwords (anna@example.test)");
  assert.match(
    body,
    /^What happened: A sign-in .* from there\.\n\nWhy it matters: .*\n\nWhat to do: .*`account passwd/,
  );
  assert.equal(severity, "critical");
  assert.match(id, /^msg_[0-9a-f]{32}$/);
});

test("its end says from when to when it lasted", () => {
  assert.match(resolvedMessage(alert).body, /It lasted from 1970-01-01T00:00:01\.000Z to 1970-01-01T00:01:01\.000Z\./);
});

test("what strangers wrote adds no line, no escape and little length", () => {
  for (const { title, body } of [openedMessage(alert), resolvedMessage(alert)]) {
    assert.match(title, /^[\x20-\x7e…]{1,250}$/u);
    assert.ok(body.length < 1_500);
    assert.match(body, /^[\x20-\x7e\n…]*$/u);
    assert.doesNotMatch(body, /^Bcc/m);
  }
});

test("a digest of very many is still one message of a bearable size, as grave as the gravest", () => {
  const many = Array.from({ length: 200 }, () => openedMessage(alert));
  const digest = digestOf(many, instant(5));
  assert.equal(digest.title, "200 alerts that could wait");
  assert.equal(digest.severity, "critical");
  assert.match(digest.body, /And 150 more before these: `alerts list`\.$/);
  assert.ok(digest.body.length < 100_000);
});

test("a digest that is too large for a channel loses its oldest alerts, and says how many", () => {
  const many = Array.from({ length: 60 }, (_, i) =>
    openedMessage({ ...alert, subject: `user${i}`, detail: "ä".repeat(400) }),
  );
  const digest = digestOf(many, instant(5));
  const body = bodyWithin(digest, 3_900);
  assert.ok(Buffer.byteLength(body) <= 3_900 && Buffer.byteLength(body) > 2_000, String(Buffer.byteLength(body)));
  const shown = body.match(/critical: /g)?.length ?? 0;
  assert.match(body, /^1970-01-01T[\s\S]*\(user59\)/);
  assert.ok(body.endsWith(`And ${60 - shown} more before these: \`alerts list\`.`), body.slice(-100));
  assert.equal(bodyWithin(digestOf(many.slice(0, 2), instant(5)), 3_900), digestOf(many.slice(0, 2), instant(5)).body);
});

test("a text is cut between characters", () => {
  assert.equal(textWithin("ää", 4), "ää");
  assert.equal(textWithin("äää", 5), "ä…");
  assert.equal(textWithin("aäää", 6), "aä…");
});
