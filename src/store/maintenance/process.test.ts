import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRows, record, START } from "../../../test/kit/test-database.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openAccounts, openEngine } from "../open.ts";
import { copyPath, digestPath } from "../recovery/database-files.ts";
import { MaintenanceProcess } from "./process.ts";

const PROGRAM = fileURLToPath(new URL("../../programs/maintenance/main.ts", import.meta.url));
const COUNT = { type: "count", staleBefore: START } as const;

function started(t: TestContext, program?: string) {
  const directory = temporaryDirectory();
  const path = join(directory, "engine.db");
  const db = openEngine(path);
  record(new SqliteStore(db), ...eventRows(100, "203.0.113.7", START));
  const downs: (string | null)[] = [];
  const argv = program === undefined ? [process.execPath, PROGRAM, path] : [program];
  const maintenance = new MaintenanceProcess({ argv, down: (why) => downs.push(why) });
  maintenance.start();
  t.after(() => maintenance.stop());
  return { directory, db, maintenance, downs };
}

test("the process carries out its orders one after the other", async (t) => {
  const { maintenance } = started(t);
  const [copied, surplus, warmed] = await Promise.all([
    maintenance.ask({ type: "checkpoint" }),
    maintenance.ask(COUNT),
    maintenance.ask({ type: "warm", from: 1, rows: 50 }),
  ]);
  assert.ok(copied !== null && copied.frames > 0);
  assert.equal(copied.copied, copied.frames);
  const nothing = { orphans: 0, stale: [], guesses: [], endedBans: 0, correspondents: 0, honestMail: 0 };
  assert.deepEqual(surplus, { firstRoutine: 1, ...nothing });
  assert.equal(warmed, true);
});

test("a copy that cannot be put in place leaves nothing behind", async (t) => {
  const { directory, maintenance } = started(t);
  const accounts = join(directory, "accounts.db");
  openAccounts(accounts).close();
  const copies = [digestPath(join(directory, "engine.db")), copyPath(accounts)];
  for (const copy of copies) mkdirSync(join(copy, "in the way"), { recursive: true });
  for (const order of [{ type: "digest" }, { type: "copy_accounts", path: accounts }] as const)
    assert.partialDeepStrictEqual(await maintenance.ask(order), { ok: false, isDamage: false });
  for (const copy of copies) assert.ok(!existsSync(`${copy}.new`), copy);
});

test("an answer larger than a pipe's buffer arrives complete", async (t) => {
  const { db, maintenance } = started(t);
  db.exec(`
    DELETE FROM event WHERE id <= 50;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO event_subject (subject, counts, at, id) SELECT '198.51.100.7/32', 1, i, 1 FROM n`);
  const surplus = await maintenance.ask(COUNT);
  assert.equal(surplus?.firstRoutine, 51);
  assert.equal(surplus.stale.length, 3_000);
});

test("a killed process answers null and is restarted, and both are reported", async (t) => {
  const { maintenance, downs } = started(t);
  await maintenance.ask(COUNT);
  const { pid } = maintenance;
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGKILL");
  assert.equal(await maintenance.ask(COUNT), null);
  assert.equal(downs.at(-1), "SIGKILL");
  const deadline = performance.now() + patience(10_000);
  while ((await maintenance.ask(COUNT)) === null) {
    assert.ok(performance.now() < deadline);
    await pause(50);
  }
  assert.equal(downs.at(-1), null);
});

test("a program that cannot be started is reported, and no order hangs", async (t) => {
  const { maintenance, downs } = started(t, "/nonexistent/program");
  assert.equal(await maintenance.ask({ type: "checkpoint" }), null);
  assert.match(downs.at(-1) ?? "", /ENOENT/);
});

test("the process ends on request and leaves the log beside the database, for readers that may not write", async (t) => {
  const { directory, maintenance } = started(t);
  await maintenance.ask(COUNT);
  const { pid } = maintenance;
  await maintenance.stop();
  assert.throws(() => readlinkSync(`/proc/${pid}/exe`), /ENOENT/);
  assert.deepEqual(readdirSync(directory).toSorted(), ["engine.db", "engine.db-shm", "engine.db-wal"]);
});
