/** Thrown by a condition that can never come true: ends the wait at once. */
export class Hopeless extends Error {}

/**
 * Asks again and again until the answer is neither false, null nor undefined, and gives it back.
 * Throws at the deadline, saying what was waited for and the last error.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (isThere(answer)) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    if (performance.now() > end)
      throw new Error(`waited ${deadlineMs} ms in vain for: ${what}`, last === undefined ? {} : { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function isThere<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined;
}
