import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { among } from "../../src/host/running/processes.ts";
import { listProcesses, networkOf, type Process } from "../../src/host/running/read-processes.ts";
import { until } from "./wait.ts";

const DATA = "/srv/mail";
const NOBODY_ELSE = 61_017;
const skip = process.getuid?.() === 0 ? false : "only root can run processes as other users";

for (const [how, unshare, belongs] of [
  ["made itself a PID namespace", ["setpriv", "unshare", "-Upf"], true],
  ["made itself a network", ["setpriv", "unshare", "-Un"], true],
  ["made itself root in a container", ["setpriv", "unshare", "-Urnpf"], true],
  ["made itself a container in a container", ["setpriv", "unshare", "-Urpf", "unshare", "-Upf"], true],
  ["was put into a network by root", ["unshare", "-n", "setpriv"], false],
  ["was put into a container by root", ["unshare", "-pf", "setpriv"], false],
] as const)
  test(`a running process that ${how}, and whose parent is dead, ${belongs ? "belongs" : "does not belong"} to the server`, {
    skip,
  }, async (t) => {
    const [program = "", ...args] = unshare.flatMap((word) =>
      word === "setpriv" ? ["setpriv", `--reuid=${NOBODY_ELSE}`, "--clear-groups"] : [word],
    );
    const child = spawn(program, [...args, "sleep", "60"], { cwd: "/" });
    const sleeping = (): readonly Process[] =>
      listProcesses().filter(({ args: [name], users }) => name === "sleep" && users.includes(NOBODY_ELSE));
    t.after(async () => {
      for (const { pid } of sleeping()) process.kill(pid, "SIGKILL");
      await until("it has ended", () => sleeping().length === 0);
    });
    await until("it sleeps", () => sleeping().length === 1);
    const [found] = sleeping();
    if (found?.pid !== child.pid) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const whose = { ours: new Set([NOBODY_ELSE]), shared: new Set<number>(), network: networkOf(process.pid) };
    const ours = among([DATA], listProcesses(), whose).map(({ pid }) => pid);
    assert.equal(ours.includes(found?.pid ?? 0), belongs);
    if (!belongs) assert.deepEqual(ours, []);
  });
