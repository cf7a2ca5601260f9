import assert from "node:assert/strict";
import { test } from "node:test";
import { banItem, eventItem, ip, net } from "../../../../test/kit/samples.ts";
import type { AddressStory, EventItem } from "../../../admin/declare/items.ts";
import { DAY_MS } from "../../../core/time.ts";
import { timelineOf } from "../../../guard/explain/timeline.ts";
import { nextAfterWhy, printAccount, printMessage, printWhy, type WhySubject } from "./why.ts";

const NOW = Date.parse("2026-11-20T07:00:00Z");

const IN_FORCE = new Map([["limits.logins.failures", "5"]]);

const UNKNOWN = { ban: null, pastBans: [], offencesInMemory: 0, allowed: null, knownAccounts: [], events: [] };
const nothing = { ...UNKNOWN, totals: { pastBans: 0, knownAccounts: 0 } };

function subject(report: Partial<AddressStory>, extra: Partial<WhySubject> = {}): WhySubject {
  const known = { protection: null, listedInSettings: null, inForce: IN_FORCE };
  const base = { ip: ip("203.0.113.7"), memoryMs: 7 * DAY_MS, nowMs: NOW, ...known };
  return { ...base, ...extra, report: { ...nothing, ...report, timeline: timelineOf(report.events ?? []) } };
}

const ban = banItem();

const TOO_MANY = { reason: "login_failures", count: 5, limit: 5, windowMs: 600_000 };
const failure = eventItem("LOGIN_FAILED", {
  id: 17,
  at: "2026-11-20T06:40:00.000Z",
  ip: "203.0.113.7",
  account: "anna@example.org",
  ...TOO_MANY,
  details: "imap login=<anna@example.org>",
});

test("shows a ban with its time, numbers, offence, events and the command that lifts it", () => {
  assert.equal(
    printWhy(subject({ ban, events: [failure] })),
    `203.0.113.7 is banned until 2026-11-20 08:40:00 UTC (1 h 40 min left).
Reason: Too many different wrong passwords: 5 within 10m, limit 5. [login_failures]
Since 2026-11-20 06:40:00 UTC; its 2nd offence within 7d, level medium, found by engine.
To lift it: ./ghostinbox unban 203.0.113.7

What happened (latest last):
  2026-11-20 06:40:00 UTC  login  LOGIN_FAILED  anna@example.org  Too many different wrong passwords. [login_failures]  imap login=<anna@example.org>; 5 within 10m, limit 5

What lifts or prevents it:
  Too many different wrong passwords. [login_failures] \`unban IP\` lifts the ban; \`account passwd\` sets a new password. Set by limits.logins.failures (now 5).`,
  );
});

test("a reason lists the settings of its numbers; the ban's own row has none", () => {
  const numbers = { count: 6, limit: 5, windowMs: 60_000, limitKey: "limits.mail.per_minute" };
  const blocked = { ...failure, ...numbers, type: "EMAIL_BLOCKED", reason: "mail_limit" };
  const banned = { ...failure, id: 18, type: "BAN", reason: "mail_limit", count: null, limit: null, windowMs: null };
  const inForce = new Map([["limits.mail.per_minute", "5"]]);
  const setBy = (events: readonly EventItem[]) => printWhy(subject({ events }, { inForce })).split("Set by ")[1];
  assert.equal(setBy([blocked, banned]), "limits.mail.per_minute (now 5).");
  assert.equal(setBy([banned]), "limits.mail.per_minute (now 5), limits.mail.per_hour, limits.mail.per_day.");
});

test("a reason's remedy is that of a mail that still waits, even if another was accepted at its retry", () => {
  const waits = eventItem("GREYLIST_ASKED", { id: 3, at: failure.at, ip: failure.ip, reason: "greylist_asked" });
  const [step] = timelineOf([waits]);
  assert.ok(step !== undefined && step.lift !== null);
  const cameAgain = { ...step, meaning: "It came again.", lift: null };
  const timeline = [cameAgain, step];
  const own = { account: "anna@example.org", addresses: [], own: [], complete: true };
  assert.ok(printAccount({ ...own, timeline }, IN_FORCE).includes(`${step.meaning} [greylist_asked] ${step.lift}`));
});

test("numbers that the ban's text lacks come from the event that caused the ban", () => {
  const text = printWhy(subject({ ban: { ...ban, reason: "Guessing passwords" }, events: [failure] }));
  assert.match(text, /Reason: Guessing passwords\. It was 5 within 10m, limit 5\./);
});

test("a manual, permanent ban of a network around the address", () => {
  const manual = banItem({ prefix: "203.0.113.0/24", level: "manual", source: "root", expiresAt: null, offences: 0 });
  const text = printWhy(subject({ ban: manual }));
  assert.match(text, /^203\.0\.113\.7 is banned as part of 203\.0\.113\.0\/24 permanently\.$/m);
  assert.match(text, /banned by root, which does not make later bans longer/);
  assert.match(text, /unban 203\.0\.113\.0\/24$/m);
});

test("an IPv6 network keeps its length in the command; a single address has none", () => {
  const at = { ip: ip("2001:db8::7") };
  assert.match(printWhy(subject({ ban: { ...ban, prefix: "2001:db8::/64" } }, at)), /unban 2001:db8::\/64$/m);
  assert.match(printWhy(subject({ ban: { ...ban, prefix: "2001:db8::7/128" } }, at)), /unban 2001:db8::7$/m);
});

test("an address never seen", () => {
  assert.equal(printWhy(subject({})), "203.0.113.7 is not banned: nothing is known about it.");
  assert.equal(nextAfterWhy(subject({})), "./ghostinbox events");
});

test("a ban is proposed for an address with offences, but not for one that only has to retry its mail", () => {
  const deferred = eventItem("MAIL", { id: 18, at: failure.at, ip: failure.ip, reason: "greylist_asked" });
  const next = (offencesInMemory: number): string => nextAfterWhy(subject({ events: [deferred], offencesInMemory }));
  assert.match(next(0), /^\.\/ghostinbox greylist waiting /);
  assert.match(next(1), /^\.\/ghostinbox ban 203\.0\.113\.7 REASON /);
});

test("to admit a client is proposed if its mail was refused for a reason that the allow list lifts", () => {
  const refused = eventItem("EMAIL_BLOCKED", { id: 18, at: failure.at, ip: failure.ip, reason: "block_listed" });
  const next = (...events: readonly EventItem[]): string => nextAfterWhy(subject({ events }));
  assert.match(next(refused), /^\.\/ghostinbox allow add 203\.0\.113\.7 NOTE {2}# admits it, if it is honest$/);
  assert.match(next({ ...failure, id: 19 }, refused), /^\.\/ghostinbox ban 203\.0\.113\.7 REASON /);
  const offended = subject({ events: [refused], offencesInMemory: 1 });
  assert.match(nextAfterWhy(offended), /^\.\/ghostinbox ban /);
});

test("an address on the allow list, by command and by the settings", () => {
  const since = { at: "2026-11-01T00:00:00.000Z", expiresAt: null };
  const text = printWhy(subject({ allowed: { prefix: "203.0.113.0/24", note: "office", by: "root", ...since } }));
  assert.match(text, /^203\.0\.113\.7 is not banned\.$/m);
  assert.match(text, /never banned: 203\.0\.113\.0\/24, "office", added by root on 2026-11-01/);
  assert.match(text, /allow remove 203\.0\.113\.0\/24/);
  const around = banItem({ prefix: "203.0.113.0/24", expiresAt: null });
  const despite = printWhy(subject({ ban: around }, { protection: "allow_listed" }));
  assert.match(
    despite,
    /^203\.0\.113\.7 is not banned, although its network 203\.0\.113\.0\/24 is banned permanently\.$/m,
  );
  const own = printWhy(subject({ ban: banItem({ prefix: "203.0.113.7/32" }) }, { protection: "allow_listed" }));
  assert.match(
    own,
    /^203\.0\.113\.7 is not banned, because it is on the allow list\. Without that, it is banned until /m,
  );
  const bySettings = printWhy(subject({}, { listedInSettings: net("203.0.113.0/28") }));
  assert.match(bySettings, /allow\.networks has 203\.0\.113\.0\/28/);
  assert.doesNotMatch(bySettings, /nothing is known/);
});

test("the machine itself and its gateway", () => {
  assert.match(printWhy(subject({}, { protection: "loopback" })), /never banned: It is this machine itself/);
  assert.match(printWhy(subject({}, { protection: "gateway" })), /never banned: This is the gateway.*\[gateway\]/);
  for (const protectedBy of [{ protection: "loopback" }, { listedInSettings: net("203.0.113.0/28") }] as const)
    assert.equal(nextAfterWhy(subject({ events: [failure] }, protectedBy)), "./ghostinbox events --ip 203.0.113.7");
  assert.match(nextAfterWhy(subject({ events: [failure] })), /^\.\/ghostinbox ban 203\.0\.113\.7 REASON/);
  const atWork = printWhy(subject({}, { protection: "admin_session" }));
  assert.match(atWork, /^203\.0\.113\.7 is not banned just now: An administrator .* \[admin_session\]/m);
  const silent = printWhy(subject({}, { protection: "unknown" }));
  assert.match(silent, /^Whether anything else protects 203\.0\.113\.7 is unknown: the guard does not answer\.$/m);
});

test("a known address and its past bans", () => {
  const past = [{ ...ban, endedAt: "2026-11-20T06:52:00.000Z", ended: "UNBAN" }];
  const text = printWhy(subject({ knownAccounts: ["anna@example.org"], pastBans: past, offencesInMemory: 1 }));
  assert.match(text, /Signed in from here: anna@example\.org\.$/m);
  assert.match(text, /1 offence within 7d count towards/);
  assert.match(text, /2026-11-20 06:40:00 UTC {2}lifted after 12 min {2}medium {2}Too many/);
});

test("shows only the latest of many events, and strangers' text cannot control the terminal", () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ...failure, id: i, details: `login=<\x1b[31m${i}>` }));
  const text = printWhy(subject({ events: many.reverse() }));
  assert.equal(text.match(/LOGIN_FAILED/g)?.length, 20);
  assert.match(text, /<\\x1b\[31m29>/);
  assert.ok(!text.includes("\x1b"));
  assert.match(text, /events --ip 203\.0\.113\.7/);
});

test("a mail lists others with its Message-ID, and says if only the newest events are shown", () => {
  const otherQueueIds = Array.from({ length: 12 }, (_, i) => `BBBBB${i}`);
  const timeline = timelineOf([eventItem("EMAIL_QUEUED", { queueId: "72CED1EABE5" })]);
  const report = { asked: "72CED1EABE5", queueIds: ["72CED1EABE5"], messageIds: ["<one@sender.test>"], timeline };
  const text = printMessage({ ...report, otherQueueIds, complete: false }, IN_FORCE);
  assert.match(text, /Other mails have the same Message-ID: BBBBB0, .*BBBBB9 and 2 more \(--json\)\n/);
  assert.match(text, /See one: \.\/ghostinbox why --message BBBBB0\n/);
  assert.match(text, /There is more: only the newest events are shown\./);
  assert.doesNotMatch(printMessage({ ...report, otherQueueIds: [], complete: true }, IN_FORCE), /Other mails|more/);
});

test("the command that shows all of a refused mail repeats what was asked, because it has no queue id", () => {
  const refused = Array.from({ length: 21 }, (_, id) =>
    eventItem("EMAIL_BLOCKED", { id, messageId: "<a&b@sender.test>" }),
  );
  const report = { asked: "a&b@sender.test", queueIds: [], messageIds: [], otherQueueIds: [], complete: true };
  const text = printMessage({ ...report, timeline: timelineOf(refused) }, IN_FORCE);
  assert.match(text, /Earlier ones: \.\/ghostinbox why --message 'a&b@sender\.test' --json$/m);
});

test("a mail's latest outcome comes first, even if a filter only deferred it", () => {
  const mail = { queueId: "72CED1EABE5" };
  const accepted = eventItem("EMAIL_ACCEPTED", { ...mail, id: 1, action: "accepted" });
  const queued = eventItem("EMAIL_QUEUED", { ...mail, id: 2, action: "queued" });
  const report = { asked: "72CED1EABE5", queueIds: ["72CED1EABE5"], messageIds: [], otherQueueIds: [], complete: true };
  const first = (...events: readonly EventItem[]): string | undefined =>
    printMessage({ ...report, timeline: timelineOf(events) }, IN_FORCE).split("\n")[0];
  assert.equal(first(accepted, queued), "Outcome: none recorded");
  const refused = { ...mail, id: 3, reason: "spam_refused", action: "refused", details: "smtp no" } as const;
  const says = /^Outcome: refused: The spam filter .*\. \[spam_refused\] \(smtp no\)$/;
  assert.match(first(accepted, queued, eventItem("EMAIL_BLOCKED", refused)) ?? "", says);
  const later = { ...mail, id: 3, reason: "filter_deferred", action: "deferred", details: "smtp later" } as const;
  assert.match(first(accepted, queued, eventItem("EMAIL_DEFERRED", later)) ?? "", /^Outcome: deferred: A mail filter /);
  const deleted = eventItem("QUEUE_DELETED", { ...mail, id: 4, action: "done", details: "72CED1EABE5 by root" });
  const delayed = eventItem("EMAIL_DELAYED", { ...mail, id: 3, action: "tried again later" });
  assert.equal(first(accepted, delayed, deleted), "Outcome: deleted by hand (72CED1EABE5 by root)");
});

test("the commands about an account quote its name, which a stranger may have chosen at a sign-in", () => {
  const flood = Array.from({ length: 21 }, (_, id) => ({ ...failure, id }));
  const report = { account: "a;b", addresses: [], own: [], timeline: timelineOf(flood) };
  const text = printAccount({ ...report, complete: false }, IN_FORCE);
  for (const command of ["events --account 'a;b'", "why --account 'a;b' --json"])
    assert.ok(text.includes(`./ghostinbox ${command}\n`), text);
});

test("an account's own actions come before many events by strangers, with a note that there are more", () => {
  const flood = Array.from({ length: 30 }, (_, i) => ({ ...failure, id: 100 + i }));
  const suspended = eventItem("ACCOUNT_SUSPENDED", { id: 1, details: "anna@example.org by root" });
  const report = { account: "anna@example.org", addresses: [], timeline: timelineOf(flood) };
  const text = printAccount({ ...report, own: timelineOf([suspended]), complete: false }, IN_FORCE);
  const latest =
    /^anna@example\.org: the latest 30 events\. There are older ones: \.\/ghostinbox events --account anna/;
  assert.match(text, latest);
  const earlier =
    /Earlier, by the account itself or about it \(latest last\):\n.*ACCOUNT_SUSPENDED.*by root\n\nWhat happened/;
  assert.match(text, earlier);
  const all = /^anna@example\.org: 30 events\.\n\nWhat/;
  assert.match(printAccount({ ...report, own: [], complete: true }, IN_FORCE), all);
});
