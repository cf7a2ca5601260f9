import { type Figures, figures } from "../../live.ts";

/** A line of a chart in a box of `width` by `height`, as the points of an SVG polyline. Its highest value may be `most`. */
export function pointsOf(values: readonly number[], most: number, { width, height }: Box): string {
  const across = width / Math.max(1, values.length - 1);
  const up = height / Math.max(1, most);
  return values.map((value, place) => `${tidy(place * across)},${tidy(height - value * up)}`).join(" ");
}

type Box = Readonly<{ width: number; height: number }>;

/** Rounds up to 1, 2 or 5 times a power of ten, where a scale may end. */
export function roundUp(most: number): number {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size >= most) return step * size;
}

function tidy(value: number): number {
  return Math.round(value * 10) / 10;
}

export const STEP_SECONDS = 900;
/** Minimum time between two readings, in milliseconds. */
const REST_MS = 60_000;

/** Reloads counts when the stream's figures change or a step of the chart ends: once a minute at most, and only while the page is visible. */
export function onNewCounts(reload: () => void): () => void {
  let readAt = performance.now();
  let known = countsOf(figures.peek());
  return figures.subscribe((latest) => {
    const counts = countsOf(latest);
    if (latest === null || document.hidden || counts === known || performance.now() - readAt < REST_MS) return;
    [readAt, known] = [performance.now(), counts];
    reload();
  });
}

/** Without the times in the stream's figures, which differ in each message. */
function countsOf(latest: Figures | null): string {
  return JSON.stringify([Math.floor(Date.now() / (1_000 * STEP_SECONDS)), latest?.bans, latest?.day]);
}
