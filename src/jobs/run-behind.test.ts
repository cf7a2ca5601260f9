import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../test/kit/needs.ts";
import { temporaryLayout } from "../../test/kit/temporary-directory.ts";
import { HOUR_MS } from "../core/time.ts";
import { runBehind } from "./job.ts";

/** `script`: of report.js, with `out`, a file to write. */
function installed(script: string) {
  const layout = temporaryLayout();
  mkdirSync(layout.program);
  symlinkSync(process.execPath, layout.node);
  const out = join(layout.data, "out");
  const head = `const { execFileSync } = require("node:child_process"); const out = ${JSON.stringify(out)};`;
  writeFileSync(join(layout.program, "report.js"), `${head}\n${script}`);
  return { layout, written: () => readFileSync(out, "utf8") };
}

const SKIP = { skip: lacking({ installed: ["nice", "ionice"] }) };

test("a program runs at the lowest priority, with its arguments", SKIP, async () => {
  const { layout, written } = installed(`
    const [nice, io] = [execFileSync("nice"), execFileSync("ionice")];
    const { readFileSync, writeFileSync } = require("node:fs");
    const memory = readFileSync("/proc/self/oom_score_adj");
    writeFileSync(out, [...process.argv.slice(2), nice, io, memory].join(" "));`);
  assert.equal(await runBehind(layout, "report", ["2026-11-23", "7"]), null);
  const before = Number(execFileSync("nice"));
  assert.match(written(), new RegExp(`^2026-11-23 7 ${Math.min(19, before + 10)}\\n idle\\n 800\\n$`));
});

test("its end is reported: its code or signal", SKIP, async () => {
  assert.equal(await runBehind(installed("process.exit(3)").layout, "report"), "3");
  assert.equal(await runBehind(installed('process.kill(process.pid, "SIGKILL")').layout, "report"), "SIGKILL");
});

test("a program that does not end is killed after its limit, and reported", SKIP, async () => {
  const { layout } = installed("process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);");
  const reported: string[] = [];
  const limit = { ms: 600, passed: (reason: string) => void reported.push(reason) };
  assert.equal(await runBehind(layout, "report", [], limit), "SIGKILL");
  assert.deepEqual(reported, ["not done after 0.01 minutes"]);
});

test("one that ends in time leaves no limit behind", SKIP, async () => {
  const pending = (): number => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const before = pending();
  const limit = { ms: HOUR_MS, passed: () => assert.fail("it ended in time") };
  assert.equal(await runBehind(installed("").layout, "report", [], limit), null);
  assert.equal(pending(), before);
});

test("one that cannot be started is reported, too, and does not end the keeper", SKIP, async (t) => {
  const { layout } = installed("");
  const said = t.mock.method(console, "error", () => undefined);
  const path = process.env["PATH"];
  t.after(() => (process.env["PATH"] = path));
  process.env["PATH"] = layout.data;
  assert.equal(await runBehind(layout, "report"), "spawn nice ENOENT");
  assert.deepEqual(said.mock.calls[0]?.arguments, ["keeper: report.js could not be started: spawn nice ENOENT"]);
});
