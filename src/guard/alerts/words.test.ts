import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, instant, later } from "../../core/time.ts";
import type { Alert } from "./ports.ts";
import { digestMessage, openedMessage, resolvedMessage, testMessage, textWithin } from "./words.ts";

const alert: Alert = {
  code: "password_guessed",
  subject: `anna\u001b[31m@example.test${"x".repeat(5_000)}`,
  detail: `from\r\nBcc: victim@elsewhere.example\n\n${"y".repeat(5_000)}`,
  openedAt: instant(1_000),
  lastAt: instant(61_000),
  resolvedAt: instant(121_000),
};

const plain: Alert = { ...alert, subject: "anna@example.test", detail: "from there" };

test("an alert says what happened, why it matters and what to do", () => {
  const { title, body, severity, id } = openedMessage(plain, "en");
  assert.equal(title, "A sign-in succeeded after many wrong passwords (anna@example.test)");
  const says = /^What happened: A sign-in .* from there\.\n\nWhy it matters: .*\n\nWhat to do: .*`account passwd/;
  assert.match(body, says);
  assert.equal(severity, "critical");
  assert.match(id, /^msg_[0-9a-f]{32}$/);
});

test("its resolution says when it started and ended", () => {
  const { body } = resolvedMessage(alert, "en");
  assert.match(body, /It lasted from 1970-01-01T00:00:01\.000Z to 1970-01-01T00:01:01\.000Z\./);
});

test("text from strangers adds no line, no escape sequence and little length", () => {
  for (const { title, body } of [openedMessage(alert, "en"), resolvedMessage(alert, "en")]) {
    assert.match(title, /^[\x20-\x7e…]{1,250}$/u);
    assert.ok(body.length < 1_500);
    assert.match(body, /^[\x20-\x7e\n…]*$/u);
    assert.doesNotMatch(body, /^Bcc/m);
  }
});

test("a digest of very many alerts is one message of limited size, as severe as the most severe one", () => {
  const many = Array.from({ length: 200 }, () => openedMessage(alert, "en"));
  const digest = digestMessage(many, instant(5), "en");
  assert.equal(digest.title, "200 alerts together, 200 of them critical");
  assert.equal(digest.severity, "critical");
  assert.match(digest.body, /^Newest first, at most 50; `alerts list` shows more\./);
  assert.ok(digest.body.length < 100_000);
});

test("a text is cut between characters; one that just fits stays unchanged", () => {
  assert.equal(textWithin("ää", 4), "ää");
  assert.equal(textWithin("äää", 5), "ä…");
  assert.equal(textWithin("aäää", 6), "aä…");
  assert.equal(textWithin("ääää", 6), "ä…");
  assert.equal(textWithin("abcd", 4), "abcd");
  assert.equal(textWithin("abcde", 4), "a…");
  assert.equal(textWithin("abcde", 2), "…");
});

test("a digest shows its newest fifty, newest first", () => {
  const some = Array.from({ length: 51 }, (_, i) => openedMessage({ ...alert, subject: `user${i}`, detail: "" }, "en"));
  const { body } = digestMessage(some, instant(5), "en");
  const shown = [...body.matchAll(/\(user(\d+)\)/g)].map(([, number]) => Number(number));
  const newest = Array.from({ length: 50 }, (_, i) => 50 - i);
  assert.deepEqual(shown, newest);
});

test("a detail ends in one full stop, and an empty detail adds none", () => {
  const disk = { ...alert, code: "disk_nearly_full", subject: "" } as const;
  const reported = (detail: string): string => openedMessage({ ...disk, detail }, "en").body;
  assert.match(reported("3 MB are left"), / 3 MB are left\.\n\nWhat to do: /);
  assert.match(reported("3 MB are left."), / 3 MB are left\.\n\nWhat to do: /);
  assert.doesNotMatch(reported(""), /\. \.|Why it matters/);
  assert.equal(openedMessage(disk, "en").title, "The disk of the data directory is nearly full");
  assert.equal(resolvedMessage(disk, "en").title, "Resolved: The disk of the data directory is nearly full");
});

test("a title is the fact, without what follows from it", () => {
  const of = (code: Alert["code"]) => openedMessage({ ...alert, code, subject: "" }, "en").title;
  assert.equal(of("domain_missing"), "Accounts or aliases have a domain that is not in `domains`");
  assert.equal(of("clock_jumped"), "The machine's clock was changed by more than 10 s");
  assert.equal(of("dovecot_settings_unused"), "Your own settings of Dovecot (mailboxes.dovecot) cannot be used");
});

test("mail for a domain missing in the settings does not bounce: it goes where the DNS says, or waits", () => {
  const of = (language: "en" | "de") => openedMessage({ ...alert, code: "domain_missing" }, language).body;
  assert.match(of("en"), /mail from your users, or through aliases, goes where the DNS says or waits here\./);
  assert.match(of("de"), /geht an den Server, den das DNS nennt, oder wartet hier\./);
});

test("an alert that ends by time is not called over: the owner may still have to act", () => {
  const guessed = { ...alert, subject: "anna@example.test", openedAt: instant(DAY_MS), resolvedAt: instant(DAY_MS) };
  const over = resolvedMessage(guessed, "en");
  assert.match(over.title, /^Resolved: /, "the password was changed");
  assert.match(over.body, /^This is over: .*\n\nWhat to do: nothing, unless it returns\.$/s);
  const aDayLater = { ...guessed, resolvedAt: later(guessed.openedAt, DAY_MS - 1_000) };
  for (const ended of [aDayLater, { ...guessed, code: "web_token" } as const]) {
    const { title, body } = resolvedMessage(ended, "en");
    assert.match(title, /^No longer shown: /);
    assert.match(body, /^No longer shown: .*\n\nWhat to do: .* Skip this if already done\.$/s);
  }
});

test("a resolution has the time of the end", () => {
  assert.equal(resolvedMessage(alert, "en").at, instant(121_000));
  assert.equal(resolvedMessage({ ...alert, resolvedAt: null }, "en").at, alert.lastAt);
  assert.equal(openedMessage(alert, "en").at, alert.openedAt);
});

test("a digest of informational alerts is informational", () => {
  const digest = digestMessage([testMessage(instant(1), "en"), testMessage(instant(2), "en")], instant(5), "en");
  assert.equal(digest.severity, "info");
});

test("shows 120 characters of a name from a stranger, and 500 of any other text", () => {
  const reported = openedMessage({ ...alert, subject: "x".repeat(5_000), detail: "y".repeat(5_000) }, "en");
  assert.equal(reported.title.match(/x+/)?.[0].length, 119);
  assert.equal(reported.body.match(/y{9,}/)?.[0].length, 499);
});

test("also in German: the alert, its resolution, a digest and a test", () => {
  const { title, body } = openedMessage(plain, "de");
  assert.equal(title, "Eine Anmeldung gelang nach vielen falschen Passwörtern (anna@example.test)");
  assert.match(body, /^Was geschah: .* from there\.\n\nWarum das wichtig ist: .*\n\nWas zu tun ist: .*`account passwd/);
  assert.match(resolvedMessage(alert, "de").body, /Es dauerte von 1970-01-01T00:00:01\.000Z bis /);
  const many = Array.from({ length: 60 }, () => openedMessage(alert, "de"));
  const digest = digestMessage(many, instant(5), "de");
  assert.equal(digest.title, "60 Meldungen zusammen, davon 60 kritisch");
  assert.match(digest.body, /^Die neuesten zuerst, höchstens 50; mehr zeigt `alerts list`\.\n\n\S+ kritisch: /);
  assert.match(testMessage(instant(1), "de").body, /Meldungen kommen hier an\.$/);
});
