import type { Millis } from "../time.ts";
import type { Evidence } from "./decision.ts";
import type { Limit } from "./policy.ts";

/** How many of the ascending times lie within the last `windowMs`, exactly: in (now - windowMs, now]. */
export function countWithin(times: readonly Millis[], windowMs: number, now: Millis): number {
  const start = now - windowMs;
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) > start) high = middle;
    else low = middle + 1;
  }
  return times.length - low;
}

/** The first limit that one more event would exceed; null if all hold. `factor` multiplies them. */
export function exceeded(limits: readonly Limit[], times: readonly Millis[], now: Millis, factor = 1): Evidence | null {
  for (const { count: simple, windowMs, key } of limits) {
    const limit = simple * factor;
    const count = countWithin(times, windowMs, now) + 1;
    if (count > limit) return { count, limit, windowMs, key };
  }
  return null;
}

/** The first limit that earlier events have already reached; null if there is none. */
export function reached(limits: readonly Limit[], times: readonly Millis[], now: Millis): Evidence | null {
  for (const { count: limit, windowMs, key } of limits) {
    const count = countWithin(times, windowMs, now);
    if (count >= limit) return { count, limit, windowMs, key };
  }
  return null;
}

/** How many times must be kept to check the limits exactly. */
export function timesToKeep(limits: readonly Limit[], factor: number): number {
  return limits.reduce((most, limit) => Math.max(most, limit.count * factor), 0) + 1;
}

export function longestWindowMs(limits: readonly Limit[]): number {
  return limits.reduce((most, limit) => Math.max(most, limit.windowMs), 0);
}
