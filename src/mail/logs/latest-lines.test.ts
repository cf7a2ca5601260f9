import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { afterEachOf, beforeEachOf } from "../../../test/kit/hooks.ts";
import type { LogQuery } from "../../admin/declare/log-query.ts";
import { instant } from "../../core/time.ts";
import { latestLines } from "./latest-lines.ts";
import { findLogs, snapshotOf } from "./log-files.ts";

const ALL: LogQuery = { grep: null, since: null, network: null, queueId: null, account: null };
let directory: string;

beforeEachOf(import.meta.filename, () => {
  directory = mkdtempSync(join(tmpdir(), "ghostinbox-logs-"));
  for (const folder of ["mail", "guard", "web"]) mkdirSync(join(directory, folder));
});
afterEachOf(import.meta.filename, () => rmSync(directory, { recursive: true, force: true }));

/** When mail.log's lines were written, in local time, and svlogd's, in UTC. */
const local = (second: number): Date => new Date(2026, 10, 20, 8, 0, second);
const stamp = (second: number): string => `Nov 20 08:00:${String(second).padStart(2, "0")}`;
const utc = (second: number): string => local(second).toISOString().replace("T", "_").replace("Z", "00");

function put(path: string, content: string | Buffer, second: number): void {
  writeFileSync(join(directory, path), content);
  utimesSync(join(directory, path), local(second), local(second));
}

async function found(query: Partial<LogQuery> = {}): Promise<readonly string[]> {
  const lines: string[] = [];
  const damaged = (path: string, why: string): void => void lines.push(`damaged: ${basename(path)}: ${why}`);
  const search = { query: { ...ALL, ...query }, limit: 10_000, damaged };
  const latest = await latestLines(findLogs(directory).map(snapshotOf), search);
  return [...latest.map(({ component, line }) => `${component}: ${line.replace(/^.*? x/, "x")}`), ...lines];
}

test("all logs in the order of time, older and compressed parts too, without copies and links", async () => {
  put("mail/mail.log.20261118-000000.gz", gzipSync(`${stamp(1)} x1\n${stamp(2)} x2\n`), 2);
  put("mail/mail.log.20261119-000000", `${stamp(4)} x4\n`, 4);
  put("mail/mail.log", `${stamp(6)} x6\n${stamp(8)} x8`, 8);
  put("mail/mail.warn", `${stamp(6)} x6\n`, 8);
  symlinkSync("../guard/current", join(directory, "mail", "link.log"));
  put("guard/@400000006720a1b2c3d4e5f6.s", `${utc(3)} x3\n`, 3);
  put("guard/current", `${utc(5)} x5\n  x5, which goes on\n${utc(7)} x7\n`, 7);
  put("guard/config", "s1000000\n", 9);
  assert.deepEqual(await found(), [
    "mail: x1",
    "mail: x2",
    "guard: x3",
    "mail: x4",
    "guard: x5",
    "guard: x5, which goes on",
    "mail: x6",
    "guard: x7",
    "mail: x8",
  ]);
  assert.deepEqual(await found({ since: instant(local(7).getTime()) }), ["guard: x7", "mail: x8"]);
  assert.deepEqual(await found({ grep: "GOES on" }), ["guard: x5, which goes on"]);
});

test("an endless line is cut, and the lines after it are found", async () => {
  put("mail/mail.log", `${stamp(1)} x${"y".repeat(3_000_000)}\n${stamp(2)} xz\n`, 2);
  const [long = "", short] = await found();
  assert.ok(long.length < 4_200);
  assert.equal(short, "mail: xz");
});

test("invalid text, and a file that is cut off in its compressed middle", async () => {
  put("mail/mail.log", Buffer.from([0x4e, 0xff, 0xfe, 0x00, 0x0a]), 2);
  assert.equal((await found()).length, 1);
  const packed = gzipSync(`${stamp(1)} x1\n`.repeat(1_000));
  put("mail/mail.log.20261118-000000.gz", packed.subarray(0, packed.length - 20), 1);
  const lines = await found({ grep: "x1" });
  assert.ok(lines.length > 100, "what can be read of it is found");
  assert.equal(lines.at(-1), "damaged: mail.log.20261118-000000.gz: unexpected end of file");
});

test("the latest lines: those set aside are read only where the current ones hold too few", async () => {
  put("mail/mail.log.20261118-000000", `${stamp(1)} x1\n${stamp(2)} x2\n`, 2);
  put("mail/mail.log.20261119-000000.gz", "this is damaged", 4);
  put("mail/mail.log", `${stamp(5)} x5\n${stamp(6)} x6\n`, 6);
  put("guard/current", `${utc(3)} x3\n${utc(7)} x7\n  x7, which goes on\n`, 7);
  const latest = async (limit: number) => {
    const reported: string[] = [];
    const damaged = (path: string): void => void reported.push(`damaged: ${basename(path)}`);
    const lines = await latestLines(findLogs(directory).map(snapshotOf), { query: ALL, limit, damaged });
    return [...reported, ...lines.map(({ line }) => line.replace(/^.*? x/, "x"))];
  };
  assert.deepEqual(await latest(3), ["x6", "x7", "x7, which goes on"]);
  assert.deepEqual(await latest(4), ["x5", "x6", "x7", "x7, which goes on"]);
  assert.deepEqual(await latest(6), [
    "damaged: mail.log.20261119-000000.gz",
    "x2",
    "x3",
    "x5",
    "x6",
    "x7",
    "x7, which goes on",
  ]);
});

test("lines are found by their text in any case, with the time of the last line that has one", async () => {
  const long = "y".repeat(300_000);
  put("mail/mail.log", `${stamp(1)} a x1\n${long}\nb x0\n${long}\n${stamp(2)} b x2\n B x3\n${long}\nb x4\n`, 6);
  const times: string[] = [];
  const search = { query: { ...ALL, grep: "B X" }, limit: 10, damaged: () => {} };
  for (const { at, line } of await latestLines(findLogs(directory).map(snapshotOf), search))
    times.push(`${(at - local(0).getTime()) / 1_000} ${line.slice(-2)}`);
  assert.deepEqual(times, ["1 x0", "2 x2", "2 x3", "2 x4"]);
});
