import { setTimeout as pause } from "node:timers/promises";
import { SECOND_MS } from "../../../core/time.ts";
import type { Probe } from "../watches/probes.ts";

/** How long a part that has just been started may take. */
const PATIENCE_MS = 30 * SECOND_MS;
const PAUSE_MS = SECOND_MS;

/** Waits until each of these parts has answered. Returns null, or the first that did not. */
export async function awaitAnswers(
  probes: readonly Probe[],
  patienceMs: number = PATIENCE_MS,
  pauseMs: number = PAUSE_MS,
): Promise<string | null> {
  const deadline = performance.now() + patienceMs;
  for (const { name, timeoutMs, check, isWanted } of probes) {
    if (isWanted?.() === false) continue;
    let result = await check(timeoutMs);
    while (!result.ok) {
      if (performance.now() > deadline) return `${name} does not answer after the restart: ${result.says}`;
      await pause(pauseMs);
      result = await check(timeoutMs);
    }
  }
  return null;
}
