import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { listProcesses, type Process, withDescendants } from "../../src/host/running/read-processes.ts";
import { lacking } from "../kit/needs.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { signal } from "./commands.ts";
import { whyNoLab } from "./network.ts";
import { until } from "./wait.ts";

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
    import { makeLab } from ${JSON.stringify(join(import.meta.dirname, "lab.ts"))};
    test("stays", async () => {
      const lab = await makeLab();
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
  const group = -(runner.pid ?? assert.fail());
  t.after(() => signal(group, "SIGKILL"));
  const isOver = () => runner.exitCode !== null;
  await until("the lab is up", () => existsSync(up) || isOver());
  const made = z.array(z.string()).parse(JSON.parse(readFileSync(up, "utf8")));
  for (const path of made) assert.ok(existsSync(path), path);
  const named = ({ pid, args }: Process): string => `${pid} ${args.join(" ")}`;
  const before = new Set(withDescendants(listProcesses(), ({ pid }) => pid === runner.pid).map(named));
  for (const program of ["nsd", "sleep 600"]) assert.ok([...before].join("\n").includes(program), program);
  process.kill(group, "SIGINT");
  await until("the run ends", isOver);
  assert.equal(runner.exitCode, 1);
  for (const path of made) assert.ok(!existsSync(path), path);
  await until("no process is left", () => !listProcesses().some((one) => before.has(named(one))), 5_000);
});
