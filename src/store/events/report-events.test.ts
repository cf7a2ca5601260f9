import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { engineDatabase, eventRow, START } from "../../../test/kit/test-database.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { DAY_MS, HOUR_MS, later, type Millis } from "../../core/time.ts";
import { sqliteEventNames } from "./event-index.ts";
import { sqliteReportEvents } from "./report-events.ts";

const FROM = later(START, -2 * DAY_MS);

/** Each row: the type, hours before 06:00 of the 20th, and differing fields. */
function recorded(
  t: TestContext,
  rows: readonly (readonly [EventRecord["type"], number, Partial<EventRecord>?, string?])[],
) {
  const { db, store, committed, reader } = engineDatabase(t);
  const sorted = rows.toSorted((a, b) => b[1] - a[1]);
  for (const [type, hoursAgo, changes = {}, ip = "203.0.113.7"] of sorted)
    committed(() => store.append(eventRow(ip, later(START, -hoursAgo * HOUR_MS), { type, ...changes })));
  sqliteEventNames(db).step();
  return { db, events: sqliteReportEvents(reader, FROM, START) };
}

test("days are counted by UTC; mail that users sent, mail that a filter refused, and simulated refusals do not count", (t) => {
  const { events } = recorded(t, [
    ["LOGIN_FAILED", 49],
    ["LOGIN_FAILED", 47],
    ["LOGIN_REFUSED", 29],
    ["LOGIN_REFUSED", 29, { rest: { event: "LOGIN_ASKED", seen: { simulated: "refuse" } } }],
    ["EMAIL_ACCEPTED", 29],
    ["EMAIL_ACCEPTED", 29, { account: "anna@example.org" }],
    ["EMAIL_ACCEPTED", 29],
    ["EMAIL_BLOCKED", 29, { rest: { event: "CONTENT_REFUSED", reply: "5.7.1 no" } }],
    ["EMAIL_DELIVERED", 7],
    ["LOGIN_FAILED", 5],
    ["LOGIN_SUCCEEDED", 4],
    ["EMAIL_BLOCKED", 3],
    ["LOGIN_FAILED", 0],
  ]);
  const none = { signedIn: 0, failed: 0, refused: 0, accepted: 0, blocked: 0, delivered: 0 };
  assert.deepEqual(events.days(), [
    { ...none, day: "2026-11-18", failed: 1 },
    { ...none, day: "2026-11-19", refused: 1, accepted: 1, blocked: 1, delivered: 1 },
    { ...none, day: "2026-11-20", failed: 1, signedIn: 1, blocked: 1 },
  ]);
});

test("addresses and names are ranked, and simulated refusals do not count", (t) => {
  const { events, db } = recorded(t, [
    ["LOGIN_FAILED", 3, { account: "Admin" }],
    ["LOGIN_FAILED", 3, { account: "admin" }],
    ["EMAIL_BLOCKED", 2, { reason: "spam_refused" }],
    ["CONNECT_REFUSED", 2, {}, "2001:db8::1"],
    ["CONNECT", 1, {}, "203.0.113.9"],
    ["LOGIN_REFUSED", 1, {}, "203.0.113.10"],
    ["LOGIN_FAILED", 60, {}, "203.0.113.8"],
  ]);
  db.exec(`UPDATE event SET rest = '{"seen":{"simulated":"refuse"}}' WHERE type = 'LOGIN_REFUSED'`);
  db.exec(`INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, offences, last_event)
    VALUES ('2001:db8::/64', x'00', x'00', '2001:db8::1', 'heavy', 'mail_limit', 'Too many mails', 'engine', 0, 1, 0)`);
  assert.deepEqual(events.addresses(), [
    { ip: "203.0.113.7", signIns: 2, mails: 1, connections: 0, isBanned: false },
    { ip: "2001:db8::1", signIns: 0, mails: 0, connections: 1, isBanned: true },
  ]);
  assert.deepEqual(events.names(), [{ name: "admin", failed: 2 }]);
});

test("reasons are shown in words, most frequent first, with retention's summaries", (t) => {
  const { events, db } = recorded(t, [
    ["EMAIL_BLOCKED", 3, { reason: "spam_refused" }],
    ["EMAIL_BLOCKED", 3, { reason: "block_listed" }],
    ["EMAIL_BLOCKED", 60, { reason: "dmarc_refused" }],
  ]);
  const sumUp = (at: Millis, count: number): unknown =>
    db.prepare("INSERT INTO event_summary VALUES (?, 'EMAIL_BLOCKED', 'block_listed', ?)").run(at, count);
  assert.deepEqual(events.looked(), { events: 2, isAll: true });
  sumUp(later(START, -DAY_MS), 40);
  sumUp(later(START, -3 * DAY_MS), 900);
  const reasons = events.reasons("EMAIL_BLOCKED");
  assert.equal(reasons.map(({ code, count }) => `${code} ${count}`).join(), "block_listed 41,spam_refused 1");
  assert.equal(reasons[0]?.says, "The client is on a DNS block list.");
  assert.deepEqual(events.looked(), { events: 2, isAll: false });
});

test("reasons count more events than the lists consider", (t) => {
  const { events, db } = recorded(t, [["BAN", 3, { reason: "mail_limit" }]]);
  db.exec(`
    CREATE TEMP TABLE many AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
      SELECT i + event.id AS new_id, event.* FROM n, event;
    UPDATE many SET id = new_id;
    ALTER TABLE many DROP COLUMN new_id;
    INSERT INTO event SELECT * FROM many;
    INSERT INTO event_name (role, name, id) SELECT 4, type, id FROM many`);
  const counts = events.reasons("BAN").map(({ count }) => count);
  assert.deepEqual(counts, [100_001]);
});

test("scored and marked mails are counted", (t) => {
  const { events } = recorded(t, [
    ["SPAM_SCORED", 3, { verdict: "mark" }],
    ["SPAM_SCORED", 3, { verdict: "pass" }],
    ["SPAM_SCORED", 60, { verdict: "mark" }],
  ]);
  assert.deepEqual(events.scored(), { scored: 2, marked: 1 });
});

test("an empty database has empty figures", (t) => {
  const { events } = recorded(t, []);
  assert.deepEqual([events.addresses(), events.names(), events.reasons("BAN")], [[], [], []]);
  assert.equal(events.days().length, 3);
  assert.deepEqual(events.scored(), { scored: 0, marked: 0 });
});
