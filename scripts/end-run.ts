import { spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { type Process, withDescendants } from "../src/daemon/set-up/running/read-processes.ts";

/** In this time tests take away what they made: servers, namespaces, mounts, folders. */
const CLEAN_UP_MS = 30_000;
const LOOK_MS = 50;

/** Asks what this process has started to end, waits until it has, and kills whatever that left behind. */
export async function endChildren(): Promise<void> {
  const begun = below();
  for (const { pid, parent } of begun) if (parent === process.pid) send(pid, "SIGTERM");
  const deadline = performance.now() + CLEAN_UP_MS;
  while (below().some(({ parent }) => parent === process.pid) && performance.now() < deadline) await pause(LOOK_MS);
  const left = new Set([...withDescendants(new Set(begun.map(({ pid }) => pid))), ...below()].map(named));
  for (const one of begun) if (left.has(named(one))) send(one.pid, "SIGKILL");
}

/** Gives what this process has started an ordinary share of the processors (chrt(1)). Beside programs that compute without end, SCHED_IDLE gets almost none. */
export function hurryChildren(): void {
  for (const { pid } of below()) spawnSync("chrt", ["--all-tasks", "--other", "--pid", "0", String(pid)]);
}

function below(): readonly Process[] {
  return withDescendants(new Set([process.pid])).filter(({ pid }) => pid !== process.pid);
}

/** The number could be another process's by now. */
function named({ pid, args }: Process): string {
  return [pid, ...args].join(" ");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
