import { setTimeout as pause } from "node:timers/promises";
import { isSupervisor, processesOf, signal } from "./processes.ts";
import { startTimeOf } from "./read-processes.ts";

const POLL_MS = 50;

/** `left`: process ids that do not end, for example in a system call that never returns. */
export type Ended = Readonly<{ count: number; left: readonly number[] }>;

/**
 * Ends processes left by an earlier start and its programs, before root touches files of their users. Supervisors
 * come first, or they would restart their programs.
 */
export async function endOrphans(data: string, graceMs = 8_000): Promise<Ended> {
  const found = processesOf(data);
  if (found.length === 0) return { count: 0, left: [] };
  for (const { pid } of found.filter(isSupervisor)) signal(pid, "SIGTERM");
  await waitUntilGone(() => processesOf(data).some(isSupervisor), graceMs / 2);
  for (const { pid } of processesOf(data)) signal(pid, "SIGTERM");
  await endBy(data, graceMs / 2);
  const left = processesOf(data).map(({ pid }) => pid);
  return { count: found.length - left.length, left };
}

/** Waits for every process of the data directory to end, and kills those that do not within `graceMs`. */
export async function endBy(data: string, graceMs: number): Promise<void> {
  if (await waitUntilGone(anyOf(data), graceMs)) return;
  // Repeated, because processes can start others in between.
  await waitUntilGone(() => killAll(data) > 0, graceMs);
}

/**
 * Whether a process of the data directory runs. Reading all processes of a busy machine takes 20 ms, so the next full check
 * waits until those that the last one found have ended.
 */
function anyOf(data: string): () => boolean {
  let known: readonly (readonly [number, string])[] = [];
  return () => {
    if (known.some(([pid, startedAt]) => startTimeOf(pid) === startedAt)) return true;
    const found = processesOf(data);
    known = found.flatMap(({ pid }) => {
      const startedAt = startTimeOf(pid);
      return startedAt === null ? [] : [[pid, startedAt] as const];
    });
    return found.length > 0;
  };
}

function killAll(data: string): number {
  const found = processesOf(data);
  for (const { pid } of found.toSorted((a, b) => Number(isSupervisor(b)) - Number(isSupervisor(a))))
    signal(pid, "SIGKILL");
  return found.length;
}

async function waitUntilGone(anyLeft: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (anyLeft()) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}
