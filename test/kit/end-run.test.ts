import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { patience } from "./patience.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const ENDED = /^gone$|^State:\tZ/m;

test("what a run has started ends with it, and so does what that leaves behind", async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "folder"));
  // It removes its folder, and leaves a process in a separate session.
  const child = `
    const { spawn } = require("node:child_process"); const fs = require("node:fs");
    const left = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    process.on("SIGTERM", () => { fs.rmdirSync(${JSON.stringify(join(directory, "folder"))}); process.exit(1); });
    fs.writeFileSync(${JSON.stringify(join(directory, "left"))}, String(left.pid)); console.log("ready"); setInterval(() => {}, 1000);`;
  writeFileSync(join(directory, "child.cjs"), child);
  const run = `
    import { spawn, spawnSync } from "node:child_process";
    import { endChildren } from ${JSON.stringify(join(import.meta.dirname, "../../scripts/test-run.ts"))};
    process.once("SIGTERM", async () => { await endChildren(); process.exit(1); });
    spawn(process.execPath, [${JSON.stringify(join(directory, "child.cjs"))}], { stdio: "inherit" });`;
  const runner = spawn(process.execPath, ["--input-type=module", "-e", run], { stdio: ["ignore", "pipe", "inherit"] });
  await once(runner.stdout, "data");
  const left = Number(readFileSync(join(directory, "left"), "utf8"));
  process.kill(left, 0);
  runner.kill("SIGTERM");
  await once(runner, "close");
  assert.ok(!existsSync(join(directory, "folder")));
  const status = () => (existsSync(`/proc/${left}/status`) ? readFileSync(`/proc/${left}/status`, "utf8") : "gone");
  // A killed process ends when it next gets a processor.
  const until = performance.now() + patience(5_000);
  while (!ENDED.test(status()) && performance.now() < until) await pause(50);
  assert.match(status(), ENDED);
});

test("once a run is ending, it starts nothing", () => {
  const made = join(temporaryDirectory(), "made");
  const run = `
    import { setTimeout as pause } from "node:timers/promises";
    import { beginNoMore, staticCheck } from ${JSON.stringify(join(import.meta.dirname, "../../scripts/test-run.ts"))};
    beginNoMore();
    await Promise.race([staticCheck("made", ["touch", ${JSON.stringify(made)}]), pause(1_000)]);
    process.exit();`;
  assert.equal(spawnSync(process.execPath, ["--input-type=module", "-e", run]).status, 0);
  assert.ok(!existsSync(made));
});

test("a run in a clone below /tmp ends at once, and says why", (t) => {
  const directory = mkdtempSync("/tmp/ghostinbox-clone-");
  t.after(() => rmdirSync(directory));
  const run = [...process.execArgv, join(import.meta.dirname, "../../scripts/run-tests.ts")];
  const { status, stderr } = spawnSync(process.execPath, run, { cwd: directory, encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /^This clone is below \/tmp, /);
});
