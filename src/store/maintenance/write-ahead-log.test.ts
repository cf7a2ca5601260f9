import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { eventRow, START, scratch, seeded } from "../../../test/kit/test-database.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine } from "../open.ts";
import { MaintenanceWork } from "./work.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

const TRACED = { skip: lacking({ root: true, installed: ["strace"] }) };

function fresh(t: TestContext) {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const log = new WriteAheadLog(db, path);
  const work = new MaintenanceWork(path);
  const commit = (rows = 1): void => {
    store.begin();
    for (let i = 0; i < rows; i++) store.append(eventRow(`203.0.113.${i % 250}`, START));
    store.commit();
  };
  const synchronous = (): unknown => db.prepare("PRAGMA synchronous").get()?.["synchronous"];
  const rows = (of: DatabaseSync = db): unknown => of.prepare("SELECT count(*) AS n FROM event").get()?.["n"];
  /** The state after a power failure just after the database was flushed: the file without its log. */
  const filed = (): unknown => {
    const alone = new DatabaseSync(`file:${path}?immutable=1`, { readOnly: true });
    try {
      return rows(alone);
    } finally {
      alone.close();
    }
  };
  return { path, db, store, log, work, commit, synchronous, rows, filed };
}

test("a pass during which nothing was committed lets the log be emptied, and all is in the database file", (t) => {
  const { log, work, commit, rows, filed, synchronous } = fresh(t);
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
  log.hold();
  assert.equal(synchronous(), 1);
  log.release(null);
});

test("commits during a pass are neither lost nor restart the log, and are written with the next pass", (t) => {
  const { log, work, commit, rows, filed } = fresh(t);
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

test("a reader in the middle of the log keeps it, and loses nothing of what it sees", (t) => {
  const { path, log, work, commit, rows } = fresh(t);
  commit(500);
  const reader = new DatabaseSync(path, { readOnly: true });
  t.after(() => reader.close());
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

test(
  "a reader in the way at the end: the log is restarted with the next commit, which flushes once",
  TRACED,
  async (t) => {
    const { path, log, work, commit, rows, filed } = fresh(t);
    const reader = new DatabaseSync(path, { readOnly: true });
    t.after(() => reader.close());
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
    assert.deepEqual(await flushesOf(path, commit), [`${path}-wal`], "that of the new header");
    assert.equal(log.bytes, before, "restarted in the same file");
    assert.deepEqual(await flushesOf(path, commit), []);
    assert.equal(pass(), true);
    assert.equal(filed(), 502);
    assert.deepEqual(await flushesOf(path, commit), [], "an empty log is started without a flush");
  },
);

test("by force: copied, flushed and emptied at once", (t) => {
  const { log, commit, filed } = fresh(t);
  commit(500);
  assert.equal(log.force(), true);
  assert.equal(log.bytes, 0);
  assert.equal(filed(), 500);
});

test("a pass that failed changes nothing", (t) => {
  const { log, commit, rows } = fresh(t);
  commit(500);
  const before = log.bytes;
  log.hold();
  assert.equal(log.release(null), false);
  assert.equal(log.bytes, before);
  assert.equal(rows(), 500);
});

test("in whatever order: every committed row is there, to the guard and to readers, and the file is whole", (t) => {
  const { path, db, log, work, commit, rows } = fresh(t);
  const chance = seeded(7);
  const readers = [1, 2].map(() => new DatabaseSync(path, { readOnly: true }));
  let copied: ReturnType<MaintenanceWork["checkpoint"]> = null;
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
  assert.equal(db.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  for (const reader of readers) reader.close();
});

/** The files of this database that `work` flushed, each with its number of flushes (strace(1) of this process). */
async function flushesOf(path: string, work: () => void): Promise<readonly string[]> {
  const tracer = spawn("strace", ["-f", "-y", "-e", "trace=fsync,fdatasync", "-p", String(process.pid)]);
  let said = "";
  const attached = new Promise<void>((resolve) => {
    tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (/attached/.test(said)) resolve();
    });
  });
  const ended = once(tracer, "close");
  await Promise.race([attached, ended]);
  work();
  tracer.kill("SIGINT");
  await ended;
  assert.match(said, /attached/);
  return [...said.matchAll(/(?:fsync|fdatasync)\(\d+<([^>]+)>/g)].flatMap(([, file = ""]) =>
    file.startsWith(path) ? [file] : [],
  );
}
