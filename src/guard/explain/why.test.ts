import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, type Row } from "../../../test/kit/event-rows.ts";
import { NOON, STRANGER } from "../../../test/kit/samples.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { isoTime, later, MINUTE_MS } from "../../core/time.ts";
import type { EventFilter, EventPage, Queries } from "../storage-ports.ts";
import { whyAccount, whyMessage } from "./why.ts";

const FROM = { sender: "a@sender.test", recipient: "anna@example.test" };
const NOT_ASKED = (): never => assert.fail("this is not asked");

/** A database that answers only about events. */
function queries(...rows: readonly Row[]): Queries & { readonly asked: readonly EventFilter[] } {
  const figures = { banCounts: NOT_ASKED, topIps: NOT_ASKED, top: NOT_ASKED, totals: NOT_ASKED, totalsAt: NOT_ASKED };
  const others = { bans: NOT_ASKED, address: NOT_ASKED, banChanges: NOT_ASKED, spamScores: NOT_ASKED, name: NOT_ASKED };
  return { ...eventsOf(rows.map((row) => ({ ip: STRANGER, ...row }))), ...others, figures };
}

const ACCEPTED: Row = { type: "EMAIL_ACCEPTED", ...FROM, queueId: "72CED1EABE5" };

function types(rows: readonly Row[]): readonly string[] {
  return whyMessage(queries(...rows), "72CED1EABE5").timeline.map(({ type }) => type);
}

test("the session of a mail starts at its connection and contains its sender's events, within ten minutes", () => {
  const session: readonly Row[] = [
    { type: "CONNECT" },
    { type: "CONNECT" },
    { type: "RECIPIENT", ...FROM },
    { type: "RECIPIENT", sender: "b@sender.test" },
    { type: "GREYLIST_ASKED", ...FROM },
    { type: "EMAIL", ...FROM },
    { type: "EMAIL_DEFERRED", ...FROM },
    { type: "EMAIL_BLOCKED", ...FROM },
    { type: "EMAIL_DEFERRED", ...FROM, queueId: "82CED1EABE6" },
    { type: "LOGIN_FAILED", ...FROM },
    { type: "EMAIL", ...FROM, ip: "203.0.113.8" },
  ];
  const before = ["CONNECT", "RECIPIENT", "GREYLIST_ASKED", "EMAIL", "EMAIL_DEFERRED", "EMAIL_BLOCKED"];
  assert.deepEqual(types([...session, ACCEPTED]), [...before, "EMAIL_ACCEPTED"]);
  const late = { ...ACCEPTED, minute: 10 };
  assert.deepEqual(types([{ type: "CONNECT" }, late]), ["CONNECT", "EMAIL_ACCEPTED"]);
  assert.deepEqual(types([{ type: "CONNECT" }, { ...late, minute: 10.001 }]), ["EMAIL_ACCEPTED"]);
});

test("searches only the fifty events of a mail's address before it for its session", () => {
  const noise = (count: number): readonly Row[] => Array.from({ length: count }, () => ({ type: "LOGIN_FAILED" }));
  const first = { type: "CONNECT" };
  assert.deepEqual(types([first, ...noise(49), ACCEPTED]), ["CONNECT", "EMAIL_ACCEPTED"]);
  assert.deepEqual(types([first, ...noise(50), ACCEPTED]), ["EMAIL_ACCEPTED"]);
  const asked = queries(first, ACCEPTED);
  whyMessage(asked, "72CED1EABE5");
  assert.deepEqual(asked.asked.at(-1), { prefix: hostPrefix(STRANGER), before: 2, most: 50, order: "newest_first" });
});

test("a mail without an address or a sender has no session", () => {
  const connect = { type: "CONNECT" };
  assert.deepEqual(types([connect, { ...ACCEPTED, ip: null }]), ["EMAIL_ACCEPTED"]);
  assert.deepEqual(types([connect, { ...ACCEPTED, sender: null }]), ["EMAIL_ACCEPTED"]);
  const queued = { ...ACCEPTED, type: "EMAIL_QUEUED", sender: null, messageId: "<x@y>" };
  assert.deepEqual(types([connect, queued]), ["EMAIL_QUEUED"]);
});

/** `count` mails with one Message-ID, each queued, delivered and ten minutes later scored; the last is the newest. */
function sameMessageId(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, i): readonly Row[] => {
    const queueId = `AAAAA${String(i).padStart(6, "0")}`;
    const row = { ip: null, minute: i * 5 };
    return [
      { ...row, type: "EMAIL_QUEUED", queueId, messageId: "<one@sender.test>" },
      { ...row, minute: i * 5 + 10, type: "SPAM_SCORED", messageId: "<one@sender.test>" },
      { ...row, type: "EMAIL_DELIVERED", queueId },
    ];
  }).flat();
}

test("with many mails of one Message-ID, a queue id shows only its own mail, and names the others", () => {
  const report = whyMessage(queries(...sameMessageId(25)), "AAAAA000012");
  assert.deepEqual(report.queueIds, ["AAAAA000012"]);
  const steps = report.timeline.map(({ type }) => type);
  assert.deepEqual(steps, ["EMAIL_QUEUED", "SPAM_SCORED", "EMAIL_DELIVERED"]);
  assert.equal(report.otherQueueIds.length, 24);
  assert.equal(report.otherQueueIds[0], "AAAAA000024");
  assert.equal(report.complete, true);
});

test("mails without a Message-ID have nothing in common", () => {
  const queued = (queueId: string): Row => ({ type: "EMAIL_QUEUED", queueId, messageId: "<>" });
  const report = whyMessage(queries(...["72CED1EABE5", "82CED1EABE6"].map(queued)), "72CED1EABE5");
  assert.deepEqual([report.queueIds, report.messageIds, report.otherQueueIds], [["72CED1EABE5"], [], []]);
});

test("with many mails of one Message-ID, shows the newest twenty, names the others, and notes that there are more", () => {
  const report = whyMessage(queries(...sameMessageId(25)), "<one@sender.test>");
  assert.deepEqual([report.queueIds.length, report.queueIds[0]], [20, "AAAAA000024"]);
  const others = [4, 3, 2, 1, 0].map((i) => `AAAAA00000${i}`);
  assert.deepEqual(report.otherQueueIds, others);
  assert.equal(report.complete, false);
  assert.equal(report.timeline.filter(({ type }) => type === "EMAIL_DELIVERED").length, 20);
  const few = whyMessage(queries(...sameMessageId(3)), "one@sender.test");
  assert.deepEqual([few.queueIds.length, few.otherQueueIds, few.complete], [3, [], true]);
});

test("a mail with too many events is shown from its newest, with a note that there are more", () => {
  const row: Row = { type: "EMAIL_DELAYED", ip: null, queueId: "72CED1EABE5" };
  const report = whyMessage(queries(...Array.from({ length: 201 }, () => row)), "<72CED1EABE5>");
  assert.deepEqual([report.timeline.length, report.timeline[0]?.id, report.complete], [200, 2, false]);
  const queued = { ...row, type: "EMAIL_QUEUED", messageId: "<one@sender.test>" };
  for (const delays of [49, 50]) {
    const named = whyMessage(queries(queued, ...Array.from({ length: delays }, () => row)), "one@sender.test");
    assert.deepEqual(
      [named.timeline.length, named.complete],
      [delays + 1, delays < 50],
      "fifty of each by a Message-ID",
    );
  }
});

test("of an account with too many events, the ten newest of each kind that strangers cannot cause are listed", () => {
  const many = (count: number, type: string): readonly Row[] => Array.from({ length: count }, () => ({ type }));
  const rows = [...many(11, "LOGIN_SUCCEEDED"), ...many(200, "LOGIN_FAILED")];
  const { own, complete } = whyAccount(queries(...rows), "anna@example.test");
  assert.deepEqual([own.map(({ id }) => id), complete], [[2, 3, 4, 5, 6, 7, 8, 9, 10, 11], false]);
  const all = queries(...rows);
  const events = (filter: EventFilter): EventPage =>
    filter.types === undefined || filter.before !== undefined ? all.events(filter) : { items: [], next: 212 };
  assert.equal(
    whyAccount({ ...all, events }, "anna@example.test").own.length,
    10,
    "a search that ends early continues",
  );
  let searches = 0;
  const slow = (): EventPage => ({ items: [], next: 1_000 - ++searches });
  whyAccount({ ...all, events: slow }, "anna@example.test");
  assert.ok(searches < 60, `${searches} searches of up to 20 ms`);
});

test("counts the sign-ins from each of an account's addresses, with the time of the last", () => {
  const rows: readonly Row[] = [
    { type: "LOGIN_SUCCEEDED", minute: 5 },
    { type: "LOGIN_FAILED", minute: 9 },
    { type: "LOGIN_REFUSED", minute: 7 },
    { type: "LOGIN_FAILED", minute: 8, ip: null },
    { type: "LOGIN_DELAYED", minute: 4 },
    { type: "LOGIN_REFUSED", minute: 6, simulated: "refuse" },
    { type: "ACCOUNT_ADDED", minute: 9 },
  ];
  const { addresses, account } = whyAccount(queries(...rows), "anna@example.test");
  assert.equal(account, "anna@example.test");
  assert.deepEqual(addresses, [{ ip: STRANGER, succeeded: 1, failed: 2, lastAt: isoTime(later(NOON, 9 * MINUTE_MS)) }]);
});
