import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ReportSpool } from "./report-taker.ts";

test("the oldest come first, a bounded number; only ordinary files of a report's size are read", () => {
  const directory = temporaryDirectory();
  const spool = new ReportSpool(directory);
  writeFileSync(join(directory, "3.json"), "x".repeat(1_100_000));
  writeFileSync(join(directory, "1.json"), "one");
  symlinkSync("/etc/hostname", join(directory, "2.json"));
  mkdirSync(join(directory, "4.json"));
  writeFileSync(join(directory, ".5.json"), "unfinished");
  assert.deepEqual(spool.waiting(2), { reports: ["1.json", "2.json"], surplus: [] });
  assert.deepEqual(spool.waiting(9).reports, ["1.json", "2.json", "3.json"]);
  assert.deepEqual(spool.read("1.json"), { ok: true, text: "one" });
  for (const name of ["2.json", "3.json", "4.json", "gone.json"]) assert.equal(spool.read(name).ok, false, name);
  for (const name of spool.waiting(9).reports) spool.remove(name);
  assert.deepEqual(readdirSync(directory), [".5.json", "4.json"]);
});

test("only part of a directory with too many names is read, and all but the next reports are surplus", () => {
  const directory = temporaryDirectory();
  for (let i = 0; i < 4_100; i++) writeFileSync(join(directory, i % 2 === 0 ? `${i}.json` : `.${i}`), "");
  const { reports, surplus } = new ReportSpool(directory).waiting(200);
  assert.deepEqual([reports.length, surplus.length], [200, 3_800]);
});
