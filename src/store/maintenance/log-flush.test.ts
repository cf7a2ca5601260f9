import assert from "node:assert/strict";
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { eventRow, START, scratch } from "../../../test/kit/test-database.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine, openEngineForReading } from "../open.ts";
import { LogFlush } from "./write-ahead-log.ts";

function fresh(
  t: TestContext,
  waitMs?: { bans: number; events: number },
  sync?: (fd: number) => Promise<string | null>,
) {
  const path = join(scratch(t), "engine.db");
  const store = new SqliteStore(openEngine(path));
  const failures: string[] = [];
  let successes = 0;
  const ended = (why: string | null): void => {
    if (why === null) successes += 1;
    else failures.push(why);
  };
  const more = { ...(waitMs && { waitMs }), ...(sync && { sync }) };
  const flush = new LogFlush({ databases: [path], ended, between: () => undefined, ...more });
  const commit = (): void => {
    store.begin();
    store.append(eventRow("203.0.113.7", START));
    store.commit();
  };
  return { path, flush, commit, failures, successes: () => successes };
}

test("committed data is flushed on request, as often as requested", async (t) => {
  const { flush, commit, failures } = fresh(t);
  commit();
  assert.deepEqual(await Promise.all([flush.flushed(), flush.flushed()]), [true, true]);
  commit();
  assert.equal(await flush.flushed(), true);
  assert.deepEqual(failures, []);
});

test("a flush under way does not cover commits after its start", async (t) => {
  const { flush } = fresh(t);
  const first = flush.flushed();
  await Promise.resolve();
  const second = flush.flushed();
  const third = flush.flushed();
  assert.notEqual(first, second);
  assert.equal(second, third, "concurrent callers share one");
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
});

test("a log that cannot be flushed is reported, by a command and when the time is up", async (t) => {
  const { path, flush, failures } = fresh(t, { bans: 1, events: 60_000 });
  rmSync(`${path}-wal`);
  assert.equal(await flush.flushed(), false);
  assert.match(failures.join(), /ENOENT/);
  flush.committed({ bansChanged: false });
  flush.committed({ bansChanged: true });
  // A ban does not wait as long as an event.
  await t.waitFor(() => assert.equal(failures.length, 2));
  await flush.stop();
});

test("a refused flush is tried again without another commit, and its end is reported", async (t) => {
  const { path, flush, failures, successes } = fresh(t, { bans: 1, events: 1 });
  renameSync(`${path}-wal`, `${path}-elsewhere`);
  assert.equal(await flush.flushed(), false);
  assert.equal(successes(), 0);
  renameSync(`${path}-elsewhere`, `${path}-wal`);
  await t.waitFor(() => assert.equal(successes(), 1));
  assert.ok(failures.length > 0);
  await flush.stop();
});

test("after a refusal, a log counts as flushed only once its content is in the database, however often the disk says yes", async (t) => {
  const answers = ["EIO: i/o error, fdatasync"];
  const { path, flush, commit, failures } = fresh(t, undefined, () => Promise.resolve(answers.shift() ?? null));
  commit();
  // A reader keeps the log from being emptied.
  const reader = openEngineForReading(path);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM event").get();
  commit();
  for (let i = 0; i < 3; i++) assert.equal(await flush.flushed(), false);
  assert.match(failures.join(), /^EIO/);
  reader.close();
  answers.push("EIO: i/o error, fdatasync");
  assert.equal(await flush.flushed(), false, "the disk may still hold the old log");
  assert.equal(await flush.flushed(), true);
  assert.equal(statSync(`${path}-wal`).size, 0);
  const events = new DatabaseSync(path).prepare("SELECT count(*) AS n FROM event").get();
  assert.equal(events?.["n"], 2);
  commit();
  assert.equal(await flush.flushed(), true);
  assert.ok(statSync(`${path}-wal`).size > 0, "the disk is trusted again");
  await flush.stop();
});
