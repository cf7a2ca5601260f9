import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, statfsSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { engineFor, eventRow, reachSince, START, scalarOf } from "../../../test/kit/test-database.ts";
import { instant } from "../../core/time.ts";
import { openEngine } from "../open.ts";
import { SqliteStore } from "./store.ts";

const KILLS = 5;
const COMMITS_BEFORE_KILL = 40;
const REACH = reachSince(instant(0), 1_000_000);

/** Commits 50 rows at a time forever, and prints the last id after each commit, once the reader has made room (EAGAIN). */
function flood(path: string): string {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  return `
    import { writeSync } from "node:fs";
    import { openEngine } from ${module("../open.ts")};
    import { SqliteStore } from ${module("./store.ts")};
    import { eventRow, START } from ${module("../../../test/kit/test-database.ts")};
    const store = new SqliteStore(openEngine(${JSON.stringify(path)}));
    for (;;) {
      let last = 0;
      store.begin();
      for (let i = 0; i < 50; i++) last = store.append(eventRow("203.0.113." + (i % 250), START));
      store.commit();
      while (!printed(last + "\\n"));
    }
    function printed(line) {
      try {
        return writeSync(1, line) > 0;
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        return false;
      }
    }`;
}

test(`no committed row is lost when the writer is killed in mid-flood, ${KILLS} times`, async () => {
  const path = join(temporaryDirectory(), "engine.db");
  let promised = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = spawn(process.execPath, ["--input-type=module", "-e", flood(path)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(writer, "close");
    let commits = 0;
    for await (const line of createInterface({ input: writer.stdout })) {
      // The kill may cut a line short. Only whole batches of 50 were promised.
      if (Number(line) % 50 === 0) promised = Math.max(promised, Number(line));
      if (++commits === COMMITS_BEFORE_KILL + kill) writer.kill("SIGKILL");
    }
    await closed;
    assert.equal(writer.signalCode, "SIGKILL");
    using db = openEngine(path);
    const rows = db.prepare("SELECT count(*) AS n, max(id) AS last FROM event").get();
    assert.ok(Number(rows?.["last"]) >= promised, `${Number(rows?.["last"])} of ${promised}`);
    assert.equal(rows?.["n"], rows?.["last"], "no gap");
    assert.equal(Number(rows?.["n"]) % 50, 0, "no half transaction");
    assert.equal(scalarOf(db, "PRAGMA integrity_check"), "ok");
  }
  assert.ok(promised >= KILLS * COMMITS_BEFORE_KILL * 50);
});

test("a full disk throws, leaves nothing half-written, and is forgotten once there is room", () => {
  const disk = join(temporaryDirectory(), "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
  try {
    fillAndEmpty(disk);
  } finally {
    execFileSync("umount", ["--lazy", disk]);
  }
});

function fillAndEmpty(disk: string): void {
  using db = openEngine(join(disk, "engine.db"));
  const store = new SqliteStore(db);
  const ballast = join(disk, "ballast");
  fill(ballast, disk);

  let committed = 0;
  const batch = (): void => {
    store.begin();
    try {
      for (let i = 0; i < 100; i++) store.append(eventRow("203.0.113.7", START));
      store.commit();
      committed += 100;
    } catch (error) {
      store.rollback();
      throw error;
    }
  };
  const untilFull = (): void => {
    for (let i = 0; i < 1_000; i++) batch();
  };
  // A batch also fills the index, so a smaller one may still fit afterwards.
  assert.throws(untilFull, /full|disk I\/O/);
  assert.throws(untilFull, /full|disk I\/O/, "it stays full");
  assert.ok(committed > 0);
  assert.equal(store.address(net("203.0.113.7"), REACH).connections.length, committed, "and can still be read");

  unlinkSync(ballast);
  for (let i = 0; i < 5; i++) batch();
  assert.equal(store.address(net("203.0.113.7"), REACH).connections.length, committed);
  assert.equal(scalarOf(db, "PRAGMA integrity_check"), "ok");
}

test("what was rolled back is gone, and a second rollback does no harm", (t) => {
  const db = engineFor(t);
  const store = new SqliteStore(db);
  store.begin();
  store.append(eventRow("203.0.113.7", START));
  store.rollback();
  store.rollback();
  store.begin();
  store.append(eventRow("203.0.113.8", START));
  store.begin();
  store.commit();
  assert.equal(scalarOf(db, "SELECT count(*) FROM event"), 0, "an abandoned turn is not committed");
});

/** Fills the disk except for 300 kB. */
function fill(path: string, disk: string): void {
  const { bavail, bsize } = statfsSync(disk);
  const file = openSync(path, "w");
  writeSync(file, Buffer.alloc(bavail * bsize - 300_000));
  closeSync(file);
}
