import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { createGzip } from "node:zlib";
import { compressFile, copyFile } from "../../src/host/root-files/copies.ts";
import { writeFile } from "../../src/host/root-files/files.ts";
import { WalFlush } from "../../src/store/maintenance/write-ahead-log.ts";
import { openEngine } from "../../src/store/open.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { loopDisk, STRICT, whyNoLoopDisk } from "./loop-disk.ts";
import { until } from "./wait.ts";

const WRITERS = 4;
/** Ends with the disk. */
const WRITER = `
const { writeFileSync } = require("node:fs");
const { done, number, files } = require("node:worker_threads").workerData;
try {
  for (;;) {
    writeFileSync(files + "-" + number + "-" + done[number], "content", { flush: true });
    Atomics.add(done, number, 1);
  }
} catch (error) {
  if (!["EIO", "EROFS"].includes(error.code)) throw error;
}`;
const top = join(temporaryDirectory(), "disk");

describe("a disk that loses its power", { skip: whyNoLoopDisk() ?? false }, () => {
  const disk = loopDisk(top, STRICT);
  const at = (name: string): string => join(top, name);
  const read = (name: string): string => readFileSync(at(name), "utf8");
  before(() => disk.mount());
  after(() => disk.unmount());

  /** A flush writes all file names to the disk, as in a busy server, but only its own file's content. */
  async function cutAfter(work: () => void | Promise<void>): Promise<void> {
    await work();
    writeFileSync(at("another"), "", { flush: true });
    disk.cut();
    assert.throws(() => writeFileSync(at("later"), ""), { code: "EIO" });
    await disk.restore();
  }

  test("a file that was renamed without a flush is empty afterwards", async () => {
    writeFileSync(at("settings"), "old", { flush: true });
    await cutAfter(() => {
      writeFileSync(at("settings.new"), "new");
      renameSync(at("settings.new"), at("settings"));
    });
    assert.equal(read("settings"), "", "a test that could not see a missing flush would be worth nothing");
  });

  test("a file that root writes is the whole old one or the whole new one", async () => {
    await cutAfter(() => {
      writeFile(at("settings"), "new", { mode: 0o640 });
      writeFile(at("again"), "by each start", { mode: 0o600, flush: false });
      copyFile(at("settings"), at("copied"), 0o644);
    });
    assert.deepEqual([read("settings"), read("copied")], ["new", "new"]);
    assert.equal(read("again"), "");
  });

  test("with many writers at once, everything that was flushed before is there; a flush under way promises nothing", async () => {
    const done = new Int32Array(new SharedArrayBuffer(4 * WRITERS));
    const files = at("file");
    const write = (number: number) =>
      once(new Worker(WRITER, { eval: true, workerData: { done, number, files } }), "exit");
    const ended = Promise.all(Array.from({ length: WRITERS }, (_, number) => write(number)));
    await until("each has written", () => done.every((count) => count > 10));
    const before = Array.from(done);
    disk.cut();
    await ended;
    await disk.restore();
    const missing = before.flatMap((count, number) =>
      Array.from({ length: count }, (_, i) => `${files}-${number}-${i}`).filter((file) => !existsSync(file)),
    );
    assert.deepEqual(missing, []);
  });

  test("a log that was being compressed survives in one form or the other", async () => {
    await cutAfter(async () => {
      writeFileSync(at("log"), "lines\n", { flush: true });
      await compressFile(at("log"), createGzip());
    });
    assert.ok(readFileSync(at("log.gz")).length > 0);
  });

  test("a database of ours opens, and loses at most what was not flushed", async () => {
    mkdirSync(at("db"));
    const path = at("db/engine.db");
    const db = openEngine(path);
    const note = db.prepare("INSERT INTO allow_entry (prefix, note, by, at) VALUES (?, '', '', 0)");
    note.run("203.0.113.1/32");
    db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    note.run("203.0.113.2/32");
    const between = (): void => undefined;
    const flush = new WalFlush({ databases: [path], between, ended: (why) => assert.equal(why, null) });
    assert.equal(await flush.flushed(), true);
    note.run("203.0.113.3/32");
    await cutAfter(() => undefined);
    const again = openEngine(path);
    const rows = again.prepare("SELECT prefix FROM allow_entry ORDER BY prefix").all();
    assert.equal(rows.map(({ prefix }) => prefix).join(), "203.0.113.1/32,203.0.113.2/32");
    again.close();
    rmSync(at("db"), { recursive: true });
  });
});
