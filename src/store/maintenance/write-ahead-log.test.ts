import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRow, eventRows, record, START, scalarOf, seeded } from "../../../test/kit/test-database.ts";
import { until } from "../../../test/kit/until.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine, openEngineForReading } from "../open.ts";
import { maintenanceWork } from "./work.ts";
import { type Copied, WalFlush, WriteAheadLog } from "./write-ahead-log.ts";

const TRACED = { skip: lacking({ root: true, installed: ["strace"] }) };

function fresh() {
  const path = join(temporaryDirectory(), "engine.db");
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const log = new WriteAheadLog(db, path);
  const work = maintenanceWork(path);
  const commit = (rows = 1): void => void record(store, ...eventRows(rows, "203.0.113.7", START));
  const synchronous = (): unknown => scalarOf(db, "PRAGMA synchronous");
  const rows = (of: DatabaseSync = db): unknown => scalarOf(of, "SELECT count(*) FROM event");
  /** The state after a power failure just after the database was flushed: the file without its log. */
  const filed = (): unknown => {
    using alone = new DatabaseSync(`file:${path}?immutable=1`, { readOnly: true });
    return rows(alone);
  };
  return { path, db, store, log, work, commit, synchronous, rows, filed };
}

test("after a pass without commits the log can be emptied, and everything is in the database file", () => {
  const { log, work, commit, rows, filed, synchronous } = fresh();
  commit(500);
  assert.ok(log.bytes > 0);
  log.hold();
  assert.equal(synchronous(), 1, "until the log is empty a commit flushes what it must");
  assert.equal(log.release(work.checkpoint()), true);
  assert.equal(log.bytes, 0);
  assert.equal(synchronous(), 0, "a commit that starts an empty log waits for no disk");
  assert.equal(filed(), 500);
  commit();
  assert.equal(rows(), 501);
  const before = log.bytes;
  log.hold();
  assert.equal(synchronous(), 1);
  assert.equal(log.release(null), false, "a failed pass changes nothing");
  assert.deepEqual([log.bytes, rows()], [before, 501]);
});

test("commits during a pass are not lost, do not restart the log, and are written with the next pass", () => {
  const { log, work, commit, rows, filed } = fresh();
  commit(500);
  log.hold();
  const copied = work.checkpoint();
  const before = log.bytes;
  commit();
  assert.ok(log.bytes > before, "the log continues: the hold kept SQLite from restarting it");
  assert.equal(log.release(copied), false);
  assert.equal(rows(), 501);
  log.hold();
  assert.equal(log.release(work.checkpoint()), true);
  assert.equal(filed(), 501);
});

test("a reader in the middle of the log keeps the log, and still sees the same rows", () => {
  const { path, log, work, commit, rows } = fresh();
  commit(500);
  using reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  assert.equal(rows(reader), 500);
  commit(500);
  log.hold();
  assert.equal(log.release(work.checkpoint()), false);
  assert.equal(log.force(), false, "not even by force");
  assert.equal(rows(reader), 500);
  reader.exec("COMMIT");
  assert.equal(rows(reader), 1_000);
  log.hold();
  assert.equal(log.release(work.checkpoint()), true);
  assert.equal(rows(reader), 1_000);
});

test("after a reader at the end of the log, the next commit restarts the log, which flushes once", TRACED, async () => {
  const { path, log, work, commit, rows, filed } = fresh();
  using reader = new DatabaseSync(path, { readOnly: true });
  const pass = (): boolean => {
    log.hold();
    return log.release(work.checkpoint());
  };
  commit(500);
  reader.exec("BEGIN");
  assert.equal(rows(reader), 500);
  assert.equal(pass(), false, "all is copied, but the reader is at the end of the log");
  assert.equal(filed(), 500);
  reader.exec("COMMIT");
  const before = log.bytes;
  assert.deepEqual(await flushesOf(path, commit), [`${path}-wal`], "the flush of the new header");
  assert.equal(log.bytes, before, "restarted in the same file");
  assert.deepEqual(await flushesOf(path, commit), []);
  assert.equal(pass(), true);
  assert.equal(filed(), 502);
  assert.deepEqual(await flushesOf(path, commit), [], "an empty log is started without a flush");
});

test("in any order of steps, the guard and readers see every committed row, and the file is intact", () => {
  const { path, db, log, work, commit, rows } = fresh();
  const chance = seeded(7);
  const readers = [1, 2].map(() => new DatabaseSync(path, { readOnly: true }));
  let copied: Copied | null = null;
  let held = false;
  let committed = 0;
  let emptied = 0;
  for (let turn = 0; turn < 2_000; turn++) {
    const dice = chance();
    const reader = readers[turn % readers.length];
    if (dice < 0.4) {
      const batch = 1 + Math.floor(chance() * 20);
      commit(batch);
      committed += batch;
    } else if (dice < 0.55 && !held) {
      log.hold();
      held = true;
      copied = null;
    } else if (dice < 0.7 && held) copied = work.checkpoint();
    else if (dice < 0.85 && held) {
      if (log.release(copied)) emptied += 1;
      held = false;
    } else if (dice < 0.9 && !held) log.force();
    else if (reader?.isTransaction === true) reader.exec("COMMIT");
    else if (reader !== undefined && chance() < 0.3) {
      reader.exec("BEGIN");
      assert.equal(rows(reader), committed);
    }
  }
  assert.ok(emptied > 3, `emptied ${emptied} times`);
  assert.equal(rows(), committed);
  assert.equal(scalarOf(db, "PRAGMA integrity_check"), "ok");
  for (const reader of readers) reader.close();
});

/** The files of this database that `work` flushed, each with its number of flushes (strace(1) of this process). */
async function flushesOf(path: string, work: () => void): Promise<readonly string[]> {
  const tracer = spawn("strace", ["-f", "-y", "-e", "trace=fsync,fdatasync", "-p", String(process.pid)]);
  let output = "";
  const attached = new Promise<void>((resolve) => {
    tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/attached/.test(output)) resolve();
    });
  });
  const ended = once(tracer, "close");
  await Promise.race([attached, ended]);
  work();
  tracer.kill("SIGINT");
  await ended;
  assert.match(output, /attached/);
  return [...output.matchAll(/(?:fsync|fdatasync)\(\d+<([^>]+)>/g)].flatMap(([, file = ""]) =>
    file.startsWith(path) ? [file] : [],
  );
}

function flushing(waitMs?: { bans: number; events: number }, sync?: (fd: number) => Promise<string | null>) {
  const path = join(temporaryDirectory(), "engine.db");
  const store = new SqliteStore(openEngine(path));
  const failures: string[] = [];
  let successes = 0;
  const ended = (why: string | null): void => {
    if (why === null) successes += 1;
    else failures.push(why);
  };
  const more = { ...(waitMs && { waitMs }), ...(sync && { sync }) };
  const flush = new WalFlush({ databases: [path], ended, between: () => undefined, ...more });
  const commit = () => record(store, eventRow("203.0.113.7", START));
  return { path, flush, commit, failures, successes: () => successes };
}

test("committed data is flushed on request, as often as requested", async () => {
  const { flush, commit, failures } = flushing();
  commit();
  assert.deepEqual(await Promise.all([flush.flushed(), flush.flushed()]), [true, true]);
  commit();
  assert.equal(await flush.flushed(), true);
  assert.deepEqual(failures, []);
});

test("a flush under way does not cover commits after its start", async () => {
  const { flush } = flushing();
  const first = flush.flushed();
  await Promise.resolve();
  const second = flush.flushed();
  const third = flush.flushed();
  assert.notEqual(first, second);
  assert.equal(second, third, "concurrent callers share one");
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
});

test("a log that cannot be flushed is reported, on request and when the time is up", async () => {
  const { path, flush, failures } = flushing({ bans: 1, events: 60_000 });
  rmSync(`${path}-wal`);
  assert.equal(await flush.flushed(), false);
  assert.match(failures.join(), /ENOENT/);
  flush.onCommit({ bansChanged: false });
  flush.onCommit({ bansChanged: true });
  // A ban does not wait as long as an event.
  await until(() => failures.length === 2);
  await flush.stop();
});

test("a refused flush is retried without another commit, and its success is reported", async () => {
  const { path, flush, failures, successes } = flushing({ bans: 1, events: 1 });
  renameSync(`${path}-wal`, `${path}-elsewhere`);
  assert.equal(await flush.flushed(), false);
  assert.equal(successes(), 0);
  renameSync(`${path}-elsewhere`, `${path}-wal`);
  await until(() => successes() === 1);
  assert.ok(failures.length > 0);
  await flush.stop();
});

test("a flush that does not return is reported until it does", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const disk = Promise.withResolvers<null>();
  const { flush, failures, successes } = flushing(undefined, () => disk.promise);
  const flushed = flush.flushed();
  await setImmediate();
  t.mock.timers.tick(29_999);
  assert.deepEqual(failures, []);
  t.mock.timers.tick(1);
  assert.deepEqual(failures, ["the disk has not confirmed a flush for 30 s"]);
  disk.resolve(null);
  assert.equal(await flushed, true);
  assert.equal(await flush.flushed(), true);
  assert.equal(successes(), 2);
  t.mock.timers.tick(30_000);
  assert.equal(failures.length, 1);
});

test("after a refusal, a log counts as flushed only once it is in the database, however often the disk reports success", async () => {
  const answers = ["EIO: i/o error, fdatasync"];
  const { path, flush, commit, failures } = flushing(undefined, () => Promise.resolve(answers.shift() ?? null));
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
  assert.equal(scalarOf(new DatabaseSync(path), "SELECT count(*) FROM event"), 2);
  commit();
  assert.equal(await flush.flushed(), true);
  assert.ok(statSync(`${path}-wal`).size > 0, "the disk is trusted again");
  await flush.stop();
});
