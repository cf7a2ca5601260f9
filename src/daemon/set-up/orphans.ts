import { setTimeout as pause } from "node:timers/promises";
import { isSupervisor, processesOf, signal } from "./processes.ts";

const POLL_MS = 50;

/**
 * Ends what a killed start left behind: supervisors first, or they would start anew what is ended below them. Tells
 * how many processes there were.
 */
export async function endOrphans(data: string, graceMs = 8_000): Promise<number> {
  const found = processesOf(data);
  if (found.length === 0) return 0;
  for (const { pid } of found.filter(isSupervisor)) signal(pid, "SIGTERM");
  await waitUntilGone(() => processesOf(data).some(isSupervisor), graceMs / 2);
  for (const { pid } of processesOf(data)) signal(pid, "SIGTERM");
  await endBy(data, graceMs / 2);
  return found.length;
}

/** Waits for every process of the data directory to end, and kills those that do not within `graceMs`. */
export async function endBy(data: string, graceMs: number): Promise<void> {
  if (await waitUntilGone(() => processesOf(data).length > 0, graceMs)) return;
  for (const killed of [isSupervisor, () => true]) {
    for (const found of processesOf(data).filter(killed)) signal(found.pid, "SIGKILL");
  }
  await waitUntilGone(() => processesOf(data).length > 0, graceMs);
}

async function waitUntilGone(anyLeft: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (anyLeft()) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}
