import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventRow, START, scratch } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { surplusOf } from "../maintenance/work.ts";
import { openEngine } from "../open.ts";
import { EventCount } from "./event-ids.ts";
import { EventTally } from "./event-tally.ts";
import { Retention } from "./retention.ts";

function fresh(t: TestContext) {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const rows = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  const append = (...events: readonly ReturnType<typeof eventRow>[]): void => {
    store.begin();
    for (const event of events) store.append(event);
    store.commit();
  };
  return { path, db, store, tally: new EventTally(db), rows, append };
}

test("it takes in a step at a time, each event once, and says when it has them all", (t) => {
  const { tally, rows, append } = fresh(t);
  assert.equal(tally.step(2), false, "there is none");
  append(...[0, 1, 2, 3, 4].map((i) => eventRow("203.0.113.7", later(START, i * 5 * MINUTE_MS))));
  assert.deepEqual([tally.step(2), tally.step(2), tally.step(2), tally.step(2)], [true, true, false, false]);
  assert.deepEqual(rows("SELECT since, ip, mails, connections, rejected FROM address_tally"), [
    [START, "203.0.113.7", 0, 5, 0],
  ]);
  assert.deepEqual(rows("SELECT upto, present FROM event_tallied"), [[5, 5]]);
});

test("of a flood of addresses it keeps the best, and nothing for longer than it is asked about", (t) => {
  const { tally, rows, append } = fresh(t);
  const one = (i: number, at = START) => eventRow(`203.0.${i >> 8}.${i & 255}`, at);
  append(
    eventRow("198.51.100.1", START, { type: "EMAIL" }),
    one(0),
    ...Array.from({ length: 3_000 }, (_, i) => one(i)),
  );
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

test("who only fails to sign in is kept in a flood of connections", (t) => {
  const { tally, rows, append } = fresh(t);
  const one = (i: number, type: "CONNECT" | "LOGIN_FAILED") => eventRow(`203.0.${i >> 8}.${i & 255}`, START, { type });
  append(...Array.from({ length: 60 }, (_, i) => one(i, "LOGIN_FAILED")));
  append(...Array.from({ length: 3_000 }, (_, i) => one(100 + (i >> 1), "CONNECT")));
  while (tally.step());
  assert.equal(rows("SELECT ip FROM address_tally WHERE failures > 0").length, 60);
});

test("hours of a day that is long ago become one, an hour a step", (t) => {
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

test("the number of events is right after a restart, whatever retention took and the tally had seen", (t) => {
  const { path, db, store, tally, append } = fresh(t);
  const limits = { maxRows: 60, maxBytes: 1_000_000_000, maxAgeMs: DAY_MS, windowMs: DAY_MS };
  const counted = (): number => new EventCount(db).rows;
  append(...Array.from({ length: 100 }, () => eventRow("203.0.113.7", START)));
  tally.step(20);
  assert.equal(counted(), 100);
  const retention = new Retention(db, new EventCount(db), limits);
  store.settle();
  retention.counted(surplusOf(db, retention.staleBefore(START)), START);
  retention.step(START, 30);
  assert.equal(counted(), 70, "more went than was tallied");
  while (tally.step());
  assert.equal(counted(), 70);
  retention.step(START, 30);
  assert.equal(counted(), 60);
  const again = openEngine(path);
  assert.equal(new EventCount(again).rows, 60);
  again.close();
});
