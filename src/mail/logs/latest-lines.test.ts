import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ALL, searchedLogs } from "../../../test/kit/searched-logs.ts";
import type { LogQuery } from "../../admin/declare/log-query.ts";
import { instant } from "../../core/time.ts";
import { latestLines } from "./latest-lines.ts";
import { findLogs, snapshotOf } from "./log-files.ts";

/** When mail.log's lines were written, in local time, and svlogd's, in UTC. */
const local = (second: number): Date => new Date(2026, 10, 20, 8, 0, second);
const stamp = (second: number): string => `Nov 20 08:00:${String(second).padStart(2, "0")}`;
const utc = (second: number): string => local(second).toISOString().replace("T", "_").replace("Z", "00");

function scene() {
  const logs = searchedLogs();
  const put = (path: string, text: string | Buffer, second: number) => logs.put(path, text, local(second).getTime());
  const search = async (query: Partial<LogQuery>, limit: number) => {
    const reported: string[] = [];
    const damaged = (path: string, why: string): void => void reported.push(`damaged: ${basename(path)}: ${why}`);
    const opened = findLogs(logs.directory).map(snapshotOf);
    return { lines: await latestLines(opened, { query: { ...ALL, ...query }, limit, damaged }), reported };
  };
  const found = async (query: Partial<LogQuery> = {}, limit = 10_000): Promise<readonly string[]> => {
    const { lines, reported } = await search(query, limit);
    return [...lines.map(({ component, line }) => `${component}: ${line.replace(/^.*? x/, "x")}`), ...reported];
  };
  return { directory: logs.directory, put, search, found };
}

test("all logs are read in order of time, with older and compressed parts, without copies and links", async () => {
  const { directory, put, found } = scene();
  put("mail/mail.log.20261118-000000.gz", gzipSync(`${stamp(1)} x1\n${stamp(2)} x2\n`), 2);
  put("mail/mail.log.20261119-000000", `${stamp(4)} x4\n`, 4);
  put("mail/mail.log", `${stamp(6)} x6\n${stamp(8)} x8`, 8);
  put("mail/mail.warn", `${stamp(6)} x6\n`, 8);
  symlinkSync("../guard/current", join(directory, "mail", "link.log"));
  put("guard/@400000006720a1b2c3d4e5f6.s", `${utc(3)} x3\n`, 3);
  put("guard/current", `${utc(5)} x5\n  x5, which goes on\n${utc(7)} x7\n`, 7);
  put("guard/config", "s1000000\n", 9);
  const first = ["mail: x1", "mail: x2", "guard: x3", "mail: x4", "guard: x5", "guard: x5, which goes on"];
  assert.deepEqual(await found(), [...first, "mail: x6", "guard: x7", "mail: x8"]);
  assert.deepEqual(await found({ since: instant(local(7).getTime()) }), ["guard: x7", "mail: x8"]);
  assert.deepEqual(await found({ grep: "GOES on" }), ["guard: x5, which goes on"]);
});

test("an endless line is cut, and the lines after it are found", async () => {
  const { put, found } = scene();
  put("mail/mail.log", `${stamp(1)} x${"y".repeat(3_000_000)}\n${stamp(2)} xz\n`, 2);
  const [long = "", short] = await found();
  assert.ok(long.length < 4_200);
  assert.equal(short, "mail: xz");
});

test("invalid text, and a compressed file that is truncated, are read as far as possible", async () => {
  const { put, found } = scene();
  put("mail/mail.log", Buffer.from([0x4e, 0xff, 0xfe, 0x00, 0x0a]), 2);
  assert.equal((await found()).length, 1);
  const packed = gzipSync(`${stamp(1)} x1\n`.repeat(1_000));
  put("mail/mail.log.20261118-000000.gz", packed.subarray(0, packed.length - 20), 1);
  const lines = await found({ grep: "x1" });
  assert.ok(lines.length > 100, "what can be read of it is found");
  assert.equal(lines.at(-1), "damaged: mail.log.20261118-000000.gz: unexpected end of file");
});

test("rotated logs are read only if the current ones hold too few lines", async () => {
  const { put, found } = scene();
  put("mail/mail.log.20261118-000000", `${stamp(1)} x1\n${stamp(2)} x2\n`, 2);
  put("mail/mail.log.20261119-000000.gz", "this is damaged", 4);
  put("mail/mail.log", `${stamp(5)} x5\n${stamp(6)} x6\n`, 6);
  put("guard/current", `${utc(3)} x3\n${utc(7)} x7\n  x7, which goes on\n`, 7);
  const last = ["mail: x6", "guard: x7", "guard: x7, which goes on"];
  assert.deepEqual(await found({}, 3), last);
  assert.deepEqual(await found({}, 4), ["mail: x5", ...last]);
  const damaged = "damaged: mail.log.20261119-000000.gz: incorrect header check";
  assert.deepEqual(await found({}, 6), ["mail: x2", "guard: x3", "mail: x5", ...last, damaged]);
});

test("lines are found by their text in any case, with the time of the last line that has one", async () => {
  const { put, search } = scene();
  const long = "y".repeat(300_000);
  put("mail/mail.log", `${stamp(1)} a x1\n${long}\nb x0\n${long}\n${stamp(2)} b x2\n B x3\n${long}\nb x4\n`, 6);
  const { lines } = await search({ grep: "B X" }, 10);
  const times = lines.map(({ at, line }) => `${(at - local(0).getTime()) / 1_000} ${line.slice(-2)}`);
  assert.deepEqual(times, ["1 x0", "2 x2", "2 x3", "2 x4"]);
});
