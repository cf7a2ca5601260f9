/** A line of a chart in a box of `width` by `height`, as the points of an SVG polyline. Its highest value may be `most`. */
export function pointsOf(values: readonly number[], most: number, { width, height }: Box): string {
  const across = width / Math.max(1, values.length - 1);
  const up = height / Math.max(1, most);
  return values.map((value, place) => `${tidy(place * across)},${tidy(height - value * up)}`).join(" ");
}

export type Box = Readonly<{ width: number; height: number }>;

/** Rounds up to 1, 2 or 5 times a power of ten, where a scale may end. */
export function roundUp(most: number): number {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size >= most) return step * size;
}

function tidy(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Minimum time between two readings, in milliseconds. */
const REST_MS = 60_000;
export const STEP_SECONDS = 900;

/** Decides when counts over hours are read again. */
export class Counted {
  #at: number;
  #known: string;

  /** `figures`: those of the stream. `now`: the time, in milliseconds. */
  constructor(figures: unknown, now: number) {
    [this.#at, this.#known] = [now, stateOf(figures, now)];
  }

  /** Whether something was counted, or a step has ended, since this last returned true. Once a minute at most. */
  isDue(figures: unknown, now: number): boolean {
    const state = stateOf(figures, now);
    // If the clock was set back, it does not show how long ago the last reading was.
    if (figures === null || state === this.#known || Math.abs(now - this.#at) < REST_MS) return false;
    [this.#at, this.#known] = [now, state];
    return true;
  }
}

function stateOf(figures: unknown, now: number): string {
  return `${Math.floor(now / (1_000 * STEP_SECONDS))} ${JSON.stringify(figures)}`;
}
