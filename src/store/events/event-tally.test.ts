import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { engineDatabase, eventRow, eventRows, record, rowsOf, START, seeded } from "../../../test/kit/test-database.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { countSurplus } from "../maintenance/work.ts";
import { openEngine } from "../open.ts";
import { EventCount } from "./event-ids.ts";
import { readTotals, sqliteEventTally } from "./event-tally.ts";
import { sqliteFigures } from "./figures.ts";
import { Retention } from "./retention.ts";

function fresh(t: TestContext) {
  const { db, store } = engineDatabase(t);
  const rows = (sql: string) => rowsOf(db, sql);
  const append = (...events: readonly EventRecord[]) => record(store, ...events);
  return { db, store, tally: sqliteEventTally(db), rows, append };
}

test("each event is counted once, step by step, and the last step reports the end", (t) => {
  const { tally, rows, append } = fresh(t);
  assert.equal(tally.step(2), false, "there is none");
  append(...[0, 1, 2, 3, 4].map((i) => eventRow("203.0.113.7", later(START, i * 5 * MINUTE_MS))));
  assert.deepEqual([tally.step(2), tally.step(2), tally.step(2), tally.step(2)], [true, true, false, false]);
  assert.deepEqual(rows("SELECT since, ip, mails, connections, rejected FROM address_tally"), [
    [START, "203.0.113.7", 0, 5, 0],
  ]);
  assert.deepEqual(rows("SELECT upto, present FROM event_tallied"), [[5, 5]]);
});

test("in a flood of addresses the busiest are kept, and removed after 30 days", (t) => {
  const { tally, rows, append } = fresh(t);
  const one = (i: number, at = START) => eventRow(`203.0.${i >> 8}.${i & 255}`, at);
  const many = Array.from({ length: 3_000 }, (_, i) => one(i));
  append(eventRow("198.51.100.1", START, { type: "EMAIL" }), one(0), ...many);
  while (tally.step());
  const kept = rows("SELECT ip FROM address_tally ORDER BY mails DESC, connections DESC");
  assert.ok(kept.length <= 1_024 + 250, String(kept.length));
  assert.deepEqual(kept.slice(0, 2), [["198.51.100.1"], ["203.0.0.0"]]);
  append(one(1, later(START, 30 * DAY_MS)));
  tally.step();
  const left = rows("SELECT 1 FROM address_tally").length;
  assert.ok(left > 512 && left <= 512 + 2 * 128 + 1, `${left} are left of an hour that is over`);
  append(one(1, later(START, 30 * DAY_MS + HOUR_MS)));
  tally.step();
  assert.equal(rows("SELECT 1 FROM address_tally").length, 2);
});

test("addresses that only fail to sign in are kept in a flood of connections", (t) => {
  const { tally, rows, append } = fresh(t);
  const one = (i: number, type: "CONNECT" | "LOGIN_FAILED") => eventRow(`203.0.${i >> 8}.${i & 255}`, START, { type });
  append(...Array.from({ length: 60 }, (_, i) => one(i, "LOGIN_FAILED")));
  append(...Array.from({ length: 3_000 }, (_, i) => one(100 + (i >> 1), "CONNECT")));
  while (tally.step());
  assert.equal(rows("SELECT ip FROM address_tally WHERE failures > 0").length, 60);
});

test("the hours of an old day are merged into one, an hour per step", (t) => {
  const { tally, rows, append } = fresh(t);
  const [day, ago] = [START - (START % DAY_MS), 3 * DAY_MS];
  const at = (hours: number) => eventRow("203.0.113.7", later(START, -ago + hours * HOUR_MS), { type: "EMAIL" });
  append(at(0), at(1), at(2), at(2));
  while (tally.step());
  for (let i = 0; i < 3; i++) {
    append(eventRow("203.0.113.9", START));
    tally.step();
  }
  assert.deepEqual(rows("SELECT since, ip, mails, connections FROM address_tally"), [
    [day - ago, "203.0.113.7", 4, 0],
    [START, "203.0.113.9", 0, 3],
  ]);
});

test("the number of events is right after a restart, whatever retention removed and the tally had counted", (t) => {
  const { db, store, tally, append } = fresh(t);
  const limits = { maxRows: 60, maxBytes: 1_000_000_000, maxAgeMs: DAY_MS, windowMs: DAY_MS, offenceMs: () => DAY_MS };
  const counted = (): number => new EventCount(db).rows;
  append(...eventRows(100, "203.0.113.7", START));
  tally.step(20);
  assert.equal(counted(), 100);
  const retention = new Retention(db, new EventCount(db), limits);
  store.indexWaiting();
  retention.counted(countSurplus(db, retention.staleBefore(START)), START);
  retention.step(START, 30);
  assert.equal(counted(), 70, "more were removed than were tallied");
  while (tally.step());
  assert.equal(counted(), 70);
  retention.step(START, 30);
  assert.equal(counted(), 60);
  using again = openEngine(db.location() ?? "");
  assert.equal(new EventCount(again).rows, 60);
});

function withMinutes(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  const sql = "SELECT minute, totals FROM event_minute WHERE minute > 0 ORDER BY id";
  const rows = () => rowsOf(db, sql).map(([minute, totals]) => [Number(minute) - START, readTotals(totals)]);
  const minutes = () => rows().map(([at]) => Number(at) / MINUTE_MS);
  const add = (at: Millis, type: "CONNECT" | "EMAIL" = "CONNECT"): void =>
    committed(() => store.append(eventRow("203.0.113.7", at, { type })));
  return { db, store, committed, rows, minutes, add, figures: sqliteFigures(reader) };
}

test("a minute counts the events up to its end, and mail of accounts and refused mail separately", (t) => {
  const { store, committed, rows, add } = withMinutes(t);
  add(later(START, 1));
  add(later(START, 59_999), "EMAIL");
  committed(() => {
    const mail = (account: string | null) =>
      eventRow("203.0.113.7", later(START, 3 * MINUTE_MS), { type: "EMAIL_ACCEPTED", account });
    store.append(mail(null));
    store.append(mail("anna@example.test"));
    for (const account of [null, "anna@example.test"]) {
      const rest = { event: "CONTENT_REFUSED", reply: "5.7.1 no" } as const;
      store.append({ ...mail(account), type: "EMAIL_BLOCKED", rest });
    }
    store.append({ ...mail(null), type: "EMAIL_BLOCKED", rest: { event: "MAIL_LOOPED" } });
  });
  const accepted = { EMAIL_ACCEPTED: 2, sent: 1, EMAIL_BLOCKED: 3, received_refused: 2, sent_refused: 1 };
  assert.deepEqual(rows(), [
    [0, { CONNECT: 1, EMAIL: 1 }],
    [3 * MINUTE_MS, { CONNECT: 1, EMAIL: 1, ...accepted }],
  ]);
});

test("the next process continues in the minute of the previous one", (t) => {
  const { db, rows, add } = withMinutes(t);
  add(START);
  add(later(START, MINUTE_MS));
  record(new SqliteStore(db), eventRow("203.0.113.7", later(START, MINUTE_MS + 5)));
  assert.deepEqual(rows().at(-1), [MINUTE_MS, { CONNECT: 3 }]);
  assert.equal(rows().length, 2);
});

test("neither retention nor a clock that is set back lowers a counter", (t) => {
  const { db, rows, add, figures } = withMinutes(t);
  assert.deepEqual(figures.totals(null), {});
  add(later(START, DAY_MS));
  add(START, "EMAIL");
  add(later(START, MINUTE_MS));
  assert.deepEqual(figures.totals(null), { CONNECT: 2, EMAIL: 1 });
  assert.equal(rows().length, 3);
  db.exec("DELETE FROM event WHERE id < 3");
  assert.deepEqual(figures.totals(null), { CONNECT: 2, EMAIL: 1 });
});

test("after two days only the last minute of each hour stays, after 400 days only one row", (t) => {
  const { minutes, add, figures } = withMinutes(t);
  for (const minute of [0, 10, 59, 61, 130]) add(later(START, minute * MINUTE_MS));
  const before = figures.totals(later(START, 2 * HOUR_MS));
  add(later(START, 2 * DAY_MS + 3 * HOUR_MS));
  assert.deepEqual(minutes(), [59, 61, 130, (2 * 24 + 3) * 60]);
  assert.deepEqual(figures.totals(later(START, 2 * HOUR_MS)), before);
  add(later(START, 403 * DAY_MS));
  assert.deepEqual(minutes(), [(2 * 24 + 3) * 60, 403 * 24 * 60]);
  assert.deepEqual(figures.totals(START), { CONNECT: 6 }, "before the first row, its counts");
});

test("old minutes are merged into hours even if the guard was down for weeks", (t) => {
  const { db, minutes, add } = withMinutes(t);
  for (let minute = 0; minute < 300; minute++) add(later(START, minute * MINUTE_MS));
  const next = new SqliteStore(db);
  const addNext = (at: Millis) => record(next, eventRow("203.0.113.7", at));
  const back = later(START, 30 * DAY_MS);
  addNext(back);
  assert.equal(minutes().length, 101, "some at once, so that no decision waits for long");
  addNext(later(back, MINUTE_MS));
  assert.deepEqual(minutes(), [59, 119, 179, 239, 299, 43_200, 43_201]);
});

test("the counts equal a naive recount, whatever is committed and rolled back", (t) => {
  const { store, figures } = withMinutes(t);
  const random = seeded(14);
  const types = ["CONNECT", "EMAIL", "LOGIN_FAILED"] as const;
  const expected: [Millis, string][] = [];
  let at = START;
  for (let i = 0; i < 400; i++) {
    at = later(at, Math.floor(random() * 90_000));
    const length = 1 + Math.floor(random() * 3);
    const batch = Array.from({ length }, () => types[Math.floor(random() * 3)] ?? "EMAIL");
    store.begin();
    for (const type of batch) store.append(eventRow("203.0.113.7", at, { type }));
    if (random() < 0.2) {
      store.rollback();
      continue;
    }
    store.commit();
    for (const type of batch) expected.push([at, type]);
  }
  for (let minute = START; minute < at; minute = later(minute, 7 * MINUTE_MS))
    for (const type of types) {
      const naive = expected.filter(([when, what]) => when < minute && what === type).length;
      assert.equal(figures.totals(minute)[type] ?? 0, naive);
    }
});
