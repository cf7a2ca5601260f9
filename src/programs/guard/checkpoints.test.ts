import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { eventRow, START, scratch } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { MaintenanceWork, type Order, type Result } from "../../store/maintenance/work.ts";
import { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";
import { openEngine } from "../../store/open.ts";
import { Checkpoints } from "./removal.ts";

const KB = 1024;
const LIMITS = { copyBytes: 200 * KB, slowBytes: 400 * KB, forceBytes: 600 * KB, mostBytes: 1_200 * KB };

/** `isRunning`: whether the maintenance process carries out orders. */
function fresh(t: TestContext, isRunning: boolean) {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const log = new WriteAheadLog(db, path);
  assert.ok(log.force(), "without the pages that created the tables");
  const work = new MaintenanceWork(path);
  const notices = new NoticeBoard();
  const quiet = (): void => undefined;
  const checkpoints = new Checkpoints(
    {
      flush: quiet,
      refuse: (why) => store.refuse(why),
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
      journal: { info: quiet, warn: quiet, error: (_, fields) => assert.fail(String(fields?.["why"])) },
    },
    LIMITS,
  );
  checkpoints.start();
  t.after(() => checkpoints.stop());
  const commit = (): void => {
    store.begin();
    for (let i = 0; i < 20; i++) store.append(eventRow(`203.0.113.${i}`, START));
    store.commit();
  };
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
  const { log, grow, checkpoints } = fresh(t, true);
  grow(100 * KB);
  await pause(500);
  assert.ok(log.bytes >= 100 * KB);
  grow(LIMITS.slowBytes + KB);
  assert.equal(checkpoints.isBehind, true);
  await until(() => log.bytes === 0);
  assert.equal(checkpoints.isBehind, false);
});

test("without the maintenance process the log is emptied by force, and stays bounded", async (t) => {
  const { log, grow } = fresh(t, false);
  grow(LIMITS.copyBytes + KB);
  await pause(500);
  assert.ok(log.bytes > LIMITS.copyBytes, "not before it must be");
  for (let round = 0; round < 3; round++) {
    grow(LIMITS.forceBytes);
    await until(() => log.bytes === 0);
  }
});

test("an endless reader is reported, then nothing more is recorded, and recording continues once it has ended", async (t) => {
  const { path, log, grow, commit, refusal, notices } = fresh(t, true);
  commit();
  const reader = new DatabaseSync(path, { readOnly: true });
  t.after(() => reader.close());
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
