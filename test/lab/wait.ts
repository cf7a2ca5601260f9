import { messageOf } from "../../src/core/error.ts";

/** Thrown by a condition that can never come true: ends the wait at once. */
export class Hopeless extends Error {}

/** Between two questions it waits for twice as long as the first took, so that waiting takes a third of a core at most. */
const PAUSE_MS = { least: 25, most: 400 } as const;

/**
 * Asks again and again until the answer is neither false, null nor undefined, and gives it back.
 * Throws at the deadline, saying what was waited for and the last error.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs;
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
    if (answered > end)
      throw new Error(
        `waited ${deadlineMs} ms in vain for: ${what}${
          last === undefined
            ? ""
            : `
${messageOf(last)}`
        }`,
        last === undefined ? {} : { cause: last },
      );
    const pauseMs = Math.min(Math.max(2 * (answered - asked), PAUSE_MS.least), PAUSE_MS.most);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function isThere<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined;
}

/** With its milliseconds. */
export async function timed<T>(work: () => Promise<T>): Promise<Readonly<{ value: T; ms: number }>> {
  const from = performance.now();
  const value = await work();
  return { value, ms: Math.round(performance.now() - from) };
}
