import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { listProcesses, type Process, withDescendants } from "../../src/host/running/read-processes.ts";
import { whyNoLab } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { lacking } from "./needs.ts";
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

test("Ctrl-C while a lab is up leaves no process, namespace or directory", {
  skip: whyNoLab() ?? lacking({ installed: ["nsd"] }),
}, async (t) => {
  const directory = temporaryDirectory();
  const up = join(directory, "up");
  mkdirSync(join(directory, "test/e2e"), { recursive: true });
  const stays = `
    import assert from "node:assert/strict";
    import { spawnSync } from "node:child_process";
    import { mkdirSync, renameSync, writeFileSync } from "node:fs";
    import { test } from "node:test";
    import { Lab } from ${JSON.stringify(join(import.meta.dirname, "../lab/lab.ts"))};
    test("stays", async () => {
      const lab = await Lab.make();
      await lab.server.spawnReady(["sh", "-c", "echo up; exec sleep 600"], true);
      // As debootstrap does.
      const mount = process.env.TEST_RUN_DIRECTORY + "/proc";
      mkdirSync(mount);
      assert.equal(spawnSync("mount", ["-t", "proc", "proc", mount]).status, 0);
      const made = [lab.directory, process.env.TEST_RUN_DIRECTORY, "/run/netns/ghostinbox-lab-" + process.pid + "-server"];
      writeFileSync(${JSON.stringify(`${up}~`)}, JSON.stringify(made));
      renameSync(${JSON.stringify(`${up}~`)}, ${JSON.stringify(up)});
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  writeFileSync(join(directory, "test/e2e/stays.test.ts"), stays);
  const { NODE_TEST_CONTEXT: _, TEST_PACKAGES_FD: __, ...env } = process.env;
  const run = [join(import.meta.dirname, "../../scripts/run-tests.ts"), "all", "stays"];
  // As in a terminal, the signal reaches the runner and the processes of its group.
  const runner = spawn(process.execPath, run, {
    cwd: directory,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  t.after(() => runner.kill("SIGKILL"));
  const isOver = () => runner.exitCode !== null;
  await until("the lab is up", () => existsSync(up) || isOver(), 60_000);
  const made = z.array(z.string()).parse(JSON.parse(readFileSync(up, "utf8")));
  for (const path of made) assert.ok(existsSync(path), path);
  const named = ({ pid, args }: Process): string => `${pid} ${args.join(" ")}`;
  const before = new Set(withDescendants(listProcesses(), ({ pid }) => pid === runner.pid).map(named));
  for (const program of ["nsd", "sleep 600"])
    assert.ok(
      [...before].some((one) => one.includes(program)),
      program,
    );
  process.kill(-(runner.pid ?? assert.fail()), "SIGINT");
  await until("the run ends", isOver, 60_000);
  assert.equal(runner.exitCode, 1);
  for (const path of made) assert.ok(!existsSync(path), path);
  await until("no process is left", () => !listProcesses().some((one) => before.has(named(one))), 5_000);
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
