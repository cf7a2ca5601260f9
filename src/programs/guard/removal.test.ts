import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { eventRow, newEngine, START, scratch } from "../../../test/kit/test-database.ts";
import { DAY_MS } from "../../core/time.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { EventCount } from "../../store/events/event-ids.ts";
import { Retention } from "../../store/events/retention.ts";
import { type Order, type Result, surplusOf } from "../../store/maintenance/work.ts";
import { Removal } from "./removal.ts";

const MOST_ROWS = 1_000;

function fresh(t: TestContext, { isRunning = (): boolean => true, comesLater = false } = {}) {
  const db = newEngine(join(scratch(t), "engine.db"));
  const events = new EventCount(db);
  const store = new SqliteStore(db, events);
  const clock = new HandClock(START);
  const notices = new NoticeBoard();
  const quiet = (): void => undefined;
  const orders: string[] = [];
  const flood = (): void => {
    store.begin();
    for (let i = 0; i < 20_000; i++) store.append(eventRow(`203.0.${i % 250}.7`, START));
    store.commit();
  };
  let waits = comesLater;
  const flush = (): void => {
    if (waits) flood();
    waits = false;
  };
  const removal = new Removal({
    engine: { flush, audit: () => Promise.resolve(true) },
    store,
    retention: new Retention(db, events, {
      maxRows: MOST_ROWS,
      maxBytes: 1_000_000_000,
      maxAgeMs: 30 * DAY_MS,
      windowMs: DAY_MS,
    }),
    maintenance: {
      ask<O extends Order>(order: O): Promise<Result<O> | null> {
        orders.push(order.type);
        const done = order.type === "count" ? surplusOf(db, START) : true;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the order says
        return Promise.resolve(isRunning() ? (done as Result<O>) : null);
      },
    },
    checkpoints: { isBehind: false, passEnds: () => Promise.resolve() },
    clock,
    notices,
    log: { info: quiet, warn: quiet, error: (_, fields) => assert.fail(String(fields?.["why"])) },
  });
  if (!comesLater) flood();
  return { events, notices, orders, removal };
}

test("removes excess events a little in each turn, with decisions in between", async (t) => {
  const { events, removal, notices, orders } = fresh(t);
  let turns = 0;
  let most = 0;
  let before = events.rows;
  const done = removal.round();
  void done.then(() => (turns = -turns));
  while (turns >= 0) {
    await nextTurn();
    most = Math.max(most, before - events.rows);
    before = events.rows;
    turns += 1;
  }
  assert.equal(events.rows, MOST_ROWS);
  assert.ok(-turns > 19, `${-turns} turns`);
  assert.ok(most <= 1_000, `${most} rows in one turn`);
  assert.ok(notices.raised.has("events_aggregated"));
  assert.equal(orders[0], "count");
  assert.ok(orders.includes("warm"), "the maintenance process read the removed events ahead");
});

test("a second round waits for the first, and a stop ends it", async (t) => {
  const { events, removal } = fresh(t);
  const first = removal.round();
  await removal.round();
  removal.stop();
  await first;
  assert.ok(events.rows > MOST_ROWS);
});

test("before the maintenance process has counted, nothing is removed; once it is back, everything is", async (t) => {
  let isRunning = false;
  const { events, removal } = fresh(t, { isRunning: () => isRunning });
  await removal.round();
  assert.equal(events.rows, 20_000);
  isRunning = true;
  await removal.round();
  assert.equal(events.rows, MOST_ROWS);
});

test("a flood that starts after a round is reported, until it ends", async (t) => {
  const { events, removal, notices } = fresh(t, { comesLater: true });
  await removal.round();
  assert.equal(events.rows, MOST_ROWS);
  assert.ok(notices.raised.has("events_aggregated"));
});
