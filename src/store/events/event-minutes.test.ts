import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { engineDatabase, eventRow, START, seeded } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { readTotals } from "./event-tally.ts";
import { SqliteFigures } from "./figures.ts";

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  const rows = () =>
    db
      .prepare("SELECT minute, totals FROM event_minute WHERE minute > 0 ORDER BY id")
      .all()
      .map(({ minute, totals }) => [Number(minute) - START, readTotals(totals)]);
  const add = (at: Millis, type: "CONNECT" | "EMAIL" = "CONNECT"): void =>
    committed(() => store.append(eventRow("203.0.113.7", at, { type })));
  return { db, store, committed, rows, add, figures: new SqliteFigures(reader) };
}

test("a minute has the events up to its end, and mail of accounts separately", (t) => {
  const { store, committed, rows, add } = fresh(t);
  add(later(START, 1));
  add(later(START, 59_999), "EMAIL");
  committed(() => {
    const mail = (account: string | null) =>
      eventRow("203.0.113.7", later(START, 3 * MINUTE_MS), { type: "EMAIL_ACCEPTED", account });
    store.append(mail(null));
    store.append(mail("anna@example.test"));
  });
  assert.deepEqual(rows(), [
    [0, { CONNECT: 1, EMAIL: 1 }],
    [3 * MINUTE_MS, { CONNECT: 1, EMAIL: 1, EMAIL_ACCEPTED: 2, sent: 1 }],
  ]);
});

test("events that were rolled back are not counted, and the next process continues", (t) => {
  const { db, store, rows, add, figures } = fresh(t);
  add(START);
  store.begin();
  store.append(eventRow("203.0.113.7", later(START, MINUTE_MS)));
  store.append(eventRow("203.0.113.7", later(START, MINUTE_MS), { type: "EMAIL" }));
  store.rollback();
  add(later(START, MINUTE_MS));
  assert.deepEqual(figures.totals(null)["CONNECT"], 2);
  const next = new SqliteStore(db);
  next.begin();
  next.append(eventRow("203.0.113.7", later(START, MINUTE_MS + 5)));
  next.commit();
  assert.deepEqual(rows().at(-1), [MINUTE_MS, { CONNECT: 3, EMAIL: 0 }]);
  assert.equal(rows().length, 2);
});

test("a counter falls neither by retention nor by a clock that is set back", (t) => {
  const { db, rows, add, figures } = fresh(t);
  add(later(START, DAY_MS));
  add(START, "EMAIL");
  add(later(START, MINUTE_MS));
  assert.deepEqual(figures.totals(null), { CONNECT: 2, EMAIL: 1 });
  assert.equal(rows().length, 3);
  db.exec("DELETE FROM event WHERE id < 3");
  assert.deepEqual(figures.totals(null), { CONNECT: 2, EMAIL: 1 });
});

test("after two days each hour keeps its last minute, after 400 one row is left of all before", (t) => {
  const { rows, add, figures } = fresh(t);
  for (const minutes of [0, 10, 59, 61, 130]) add(later(START, minutes * MINUTE_MS));
  const before = figures.totals(later(START, 2 * HOUR_MS));
  add(later(START, 2 * DAY_MS + 3 * HOUR_MS));
  const minutes = () => rows().map(([at]) => Number(at) / MINUTE_MS);
  assert.deepEqual(minutes(), [59, 61, 130, (2 * 24 + 3) * 60]);
  assert.deepEqual(figures.totals(later(START, 2 * HOUR_MS)), before);
  add(later(START, 403 * DAY_MS));
  assert.deepEqual(minutes(), [(2 * 24 + 3) * 60, 403 * 24 * 60]);
  assert.deepEqual(figures.totals(START), { CONNECT: 6 }, "before the first row, as much as it had");
});

test("minutes of long ago become hours too, when the guard comes back after weeks", (t) => {
  const { db, rows, add } = fresh(t);
  for (let minute = 0; minute < 300; minute++) add(later(START, minute * MINUTE_MS));
  const next = new SqliteStore(db);
  const addNext = (at: Millis): void => {
    next.begin();
    next.append(eventRow("203.0.113.7", at));
    next.commit();
  };
  const back = later(START, 30 * DAY_MS);
  addNext(back);
  assert.equal(rows().length, 101, "some at once, so that no decision waits for long");
  addNext(later(back, MINUTE_MS));
  assert.deepEqual(
    rows().map(([at]) => Number(at) / MINUTE_MS),
    [59, 119, 179, 239, 299, 43_200, 43_201],
  );
});

test("the counts equal a naive recount, whatever is committed and rolled back", (t) => {
  const { store, figures } = fresh(t);
  const random = seeded(14);
  const types = ["CONNECT", "EMAIL", "LOGIN_FAILED"] as const;
  const expected: [Millis, string][] = [];
  let at = START;
  for (let i = 0; i < 400; i++) {
    at = later(at, Math.floor(random() * 90_000));
    const batch = Array.from(
      { length: 1 + Math.floor(random() * 3) },
      () => types[Math.floor(random() * 3)] ?? "EMAIL",
    );
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
