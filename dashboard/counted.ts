/** Between two times, at least. Milliseconds. */
const REST_MS = 60_000;
/** A step of the chart of the day. */
export const STEP_SECONDS = 900;

/** When what is counted over hours is to be read again. */
export class Counted {
  #at: number;
  #known: string;

  /** `figures`: those of the stream. `now`: the time, in milliseconds. */
  constructor(figures: unknown, now: number) {
    [this.#at, this.#known] = [now, stateOf(figures, now)];
  }

  /** If something was counted since it last said so, or a step has ended; once a minute at most. */
  isDue(figures: unknown, now: number): boolean {
    const state = stateOf(figures, now);
    // A clock that was set back says nothing of how long ago it was.
    if (figures === null || state === this.#known || Math.abs(now - this.#at) < REST_MS) return false;
    [this.#at, this.#known] = [now, state];
    return true;
  }
}

function stateOf(figures: unknown, now: number): string {
  return `${Math.floor(now / (1_000 * STEP_SECONDS))} ${JSON.stringify(figures)}`;
}
