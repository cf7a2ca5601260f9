import assert from "node:assert/strict";
import { patience } from "./patience.ts";

const DEADLINE_MS = 10_000;
const PAUSE_MS = 2;
/** A longer wait checks less often, because a check such as a request keeps two processes busy. */
const LONGEST_PAUSE_MS = 25;
/** The real timer, even while a test mocks the timers. */
const realSetTimeout = setTimeout;
const realNow = performance.now.bind(performance);

/** Waits for conditions within this process. `test/lab/wait.ts`, for whole servers, checks less often. */
export async function until(condition: () => boolean | Promise<boolean>, what = condition.toString()): Promise<void> {
  const end = realNow() + patience(DEADLINE_MS);
  for (let pauseMs = PAUSE_MS; !(await condition()); pauseMs = Math.min(pauseMs * 1.2, LONGEST_PAUSE_MS)) {
    assert.ok(realNow() < end, `waited in vain: ${what}`);
    await new Promise((resolve) => realSetTimeout(resolve, pauseMs));
  }
}

/** Resolves once everything due in this process has run, including what that triggers. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
