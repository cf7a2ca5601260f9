import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { HandClock, NoticeBoard, SILENT } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRows, newEngine, record, START } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import { DAY_MS } from "../../core/time.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { EventCount } from "../../store/events/event-ids.ts";
import { Retention } from "../../store/events/retention.ts";
import { countSurplus, maintenanceWork, type Order, type Result } from "../../store/maintenance/work.ts";
import { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";
import { openEngine } from "../../store/open.ts";
import { createCheckpoints, createRemoval } from "./removal.ts";

const KB = 1024;
const LIMITS = { copyBytes: 200 * KB, slowBytes: 400 * KB, forceBytes: 600 * KB, mostBytes: 1_200 * KB };

/** `isRunning`: whether the maintenance process carries out orders. */
function checkpointing(t: TestContext, isRunning: boolean) {
  const path = join(temporaryDirectory(), "engine.db");
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const log = new WriteAheadLog(db, path);
  assert.ok(log.force(), "without the pages that created the tables");
  const work = maintenanceWork(path);
  const notices = new NoticeBoard();
  const checkpoints = createCheckpoints(
    {
      commit: () => undefined,
      refuseWrites: (why) => store.refuseWrites(why),
      log,
      maintenance: {
        async ask<O extends Order>(order: O): Promise<Result<O> | null> {
          await pause(1);
          assert.equal(order.type, "checkpoint");
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the order says
          return isRunning ? (work.checkpoint() as Result<O> | null) : null;
        },
      },
      notices,
      journal: { ...SILENT, error: (_, fields) => assert.fail(String(fields?.["why"])) },
    },
    LIMITS,
  );
  checkpoints.start();
  t.after(() => checkpoints.stop());
  const commit = () => record(store, ...eventRows(20, "203.0.113.7", START));
  const grow = (bytes: number): void => {
    while (log.bytes < bytes) commit();
  };
  const refusal = (): string => {
    try {
      commit();
      return "";
    } catch (error) {
      return String(error);
    }
  };
  return { path, log, notices, checkpoints, commit, grow, refusal };
}

test("a log that has grown is emptied in the background, a small one is not", async (t) => {
  const { log, grow, checkpoints } = checkpointing(t, true);
  grow(100 * KB);
  await pause(500);
  assert.ok(log.bytes >= 100 * KB);
  grow(LIMITS.slowBytes + KB);
  assert.equal(checkpoints.isBehind(), true);
  await until(() => log.bytes === 0);
  assert.equal(checkpoints.isBehind(), false);
});

test("without the maintenance process the log is emptied by force, and stays bounded", async (t) => {
  const { log, grow } = checkpointing(t, false);
  grow(LIMITS.copyBytes + KB);
  await pause(500);
  assert.ok(log.bytes > LIMITS.copyBytes, "the log is not emptied before it must be");
  for (let round = 0; round < 3; round++) {
    grow(LIMITS.forceBytes);
    await until(() => log.bytes === 0);
  }
});

test("an endless reader is reported, then nothing more is recorded, and recording continues once it has ended", async (t) => {
  const { path, log, grow, commit, refusal, notices } = checkpointing(t, true);
  commit();
  using reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM event").get();
  grow(LIMITS.forceBytes);
  await until(() => notices.raised.has("database_log_held"));
  commit();
  grow(LIMITS.mostBytes + KB);
  await until(() => /write-ahead log/.test(refusal()));
  reader.exec("COMMIT");
  await until(() => log.bytes === 0);
  await until(() => !notices.raised.has("database_log_held") && refusal() === "");
});

const MOST_ROWS = 1_000;
const FLOOD_ROWS = 8_000;

function fresh({ isRunning = (): boolean => true, comesLater = false } = {}) {
  const db = newEngine(join(temporaryDirectory(), "engine.db"));
  const events = new EventCount(db);
  const store = new SqliteStore(db, events);
  const clock = new HandClock(START);
  const notices = new NoticeBoard();
  const orders: string[] = [];
  const flood = () => record(store, ...eventRows(FLOOD_ROWS, "203.0.113.7", START));
  let waits = comesLater;
  const commit = (): void => {
    if (waits) flood();
    waits = false;
  };
  const limits = {
    maxRows: MOST_ROWS,
    maxBytes: 1_000_000_000,
    maxAgeMs: 30 * DAY_MS,
    windowMs: DAY_MS,
    offenceMs: () => DAY_MS,
  };
  const parts = {
    engine: { commit, audit: () => Promise.resolve(true) },
    store,
    maintenance: {
      ask<O extends Order>(order: O): Promise<Result<O> | null> {
        orders.push(order.type);
        const done = order.type === "count" ? countSurplus(db, START) : true;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the order says
        return Promise.resolve(isRunning() ? (done as Result<O>) : null);
      },
    },
    checkpoints: { isBehind: () => false, passEnds: () => Promise.resolve() },
    clock,
    notices,
    log: {
      ...SILENT,
      error: (_: string, fields?: Readonly<Record<string, unknown>>) => assert.fail(String(fields?.["why"])),
    },
  };
  const restarted = () => createRemoval({ ...parts, retention: new Retention(db, events, limits) });
  if (!comesLater) flood();
  return { store, events, clock, notices, orders, removal: restarted(), restarted };
}

test("removes excess events a little in each turn, with decisions in between", async () => {
  const { events, removal, notices, orders } = fresh();
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
  assert.ok(-turns > 7, `${-turns} turns`);
  assert.ok(most <= 1_000, `${most} rows in one turn`);
  assert.ok(notices.raised.has("events_aggregated"));
  assert.equal(orders[0], "count");
  assert.ok(orders.includes("warm"), "the maintenance process read the removed events ahead");
});

test("a second round waits for the first, and a stop ends it", async () => {
  const { events, removal } = fresh();
  const first = removal.round();
  await removal.round();
  removal.stop();
  await first;
  assert.ok(events.rows > MOST_ROWS);
});

test("before the maintenance process has counted, nothing is removed; once it is back, everything is", async () => {
  let isRunning = false;
  const { events, removal } = fresh({ isRunning: () => isRunning });
  await removal.round();
  assert.equal(events.rows, FLOOD_ROWS);
  isRunning = true;
  await removal.round();
  assert.equal(events.rows, MOST_ROWS);
});

test("a flood that starts after a round is reported, until it ends", async () => {
  const { events, removal, notices } = fresh({ comesLater: true });
  await removal.round();
  assert.equal(events.rows, MOST_ROWS);
  assert.ok(notices.raised.has("events_aggregated"));
});

test("a clock that is ahead removes nothing by age until it has been right for a day", async () => {
  const { store, events, clock, removal, restarted } = fresh();
  await removal.round();
  clock.advance(2 * 365 * DAY_MS);
  await removal.round();
  assert.equal(events.rows, MOST_ROWS, "by a guard that runs");
  const ahead = restarted();
  await ahead.round();
  record(store, ...eventRows(1, "203.0.113.7", clock.now()));
  await restarted().round();
  assert.equal(events.rows, MOST_ROWS, "by a guard that starts, even again");
  clock.advance(DAY_MS - 1);
  await ahead.round();
  assert.equal(events.rows, MOST_ROWS);
  clock.advance(1);
  await ahead.round();
  assert.equal(events.rows, 1);
});
