import { messageOf } from "../../src/core/error.ts";
import { patience } from "../kit/patience.ts";

/** Thrown by a condition that can never come true: ends the wait at once. */
export class Hopeless extends Error {}

/**
 * The pause after a check is twice as long as the check took, so waiting takes a third of a core at most. Long waits check
 * less often, so a minute of waiting does not cost twenty seconds of a core.
 */
const PAUSE_MS = { least: 25, most: 400, mostLater: 1_500 } as const;

/**
 * Repeats the condition until its result is neither false, null, undefined nor 0, and returns it.
 * Throws at the deadline (`patience`), saying what was waited for and the last error.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 60_000,
  pauseAfter: Pause = patiently,
): Promise<Exclude<T, false | null | undefined>> {
  const began = performance.now();
  const patienceMs = patience(deadlineMs);
  const end = began + patienceMs;
  let last: unknown;
  for (;;) {
    const asked = performance.now();
    try {
      const answer = await condition();
      if (isThere(answer)) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    const answered = performance.now();
    if (answered > end) {
      const why = last === undefined ? "" : `\n${messageOf(last)}`;
      throw new Error(`waited ${patienceMs} ms in vain for: ${what}${why}`, last === undefined ? {} : { cause: last });
    }
    const pauseMs = pauseAfter(answered - asked, answered - began);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, end - answered)));
  }
}

/** How long to wait after a check that took this long, `waitedMs` after the first. */
type Pause = (tookMs: number, waitedMs: number) => number;

/** For short-lived conditions: as often at the end as at the start. */
export const promptly: Pause = (tookMs) => Math.min(Math.max(2 * tookMs, PAUSE_MS.least), PAUSE_MS.most);

/** Adds a fifth of the wait at most. */
const patiently: Pause = (tookMs, waitedMs) =>
  Math.max(promptly(tookMs, waitedMs), Math.min(10 * tookMs, waitedMs / 5, PAUSE_MS.mostLater));

const isThere = <T>(answer: T): answer is Exclude<T, false | null | undefined> =>
  answer !== false && answer !== null && answer !== undefined && answer !== 0;

/** Does `work` for each item, `atOnce` at a time. */
export async function eachOf<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const worker = async (): Promise<void> => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
}

/** For an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("the median of nothing");
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return (at(Math.floor(sorted.length / 2)) + at(Math.ceil(sorted.length / 2) - 1)) / 2;
}

/** Returns the result with the milliseconds that `work` took. */
export async function timed<T>(work: () => Promise<T>): Promise<Readonly<{ value: T; ms: number }>> {
  const from = performance.now();
  const value = await work();
  return { value, ms: Math.round(performance.now() - from) };
}
