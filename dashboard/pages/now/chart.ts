/** A line of a chart in a box of `width` by `height`, as the points of an SVG polyline. `most` is the value at the top. */
export function pointsOf(values: readonly number[], most: number, { width, height }: Box): string {
  const across = width / Math.max(1, values.length - 1);
  const up = height / Math.max(1, most);
  return values.map((value, index) => `${tidy(index * across)},${tidy(height - value * up)}`).join(" ");
}

type Box = Readonly<{ width: number; height: number }>;

/** Rounds up to 1, 2 or 5 times a power of ten, where a scale may end. */
export function roundUp(most: number): number {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size >= most) return step * size;
}

function tidy(value: number): number {
  return Math.round(value * 10) / 10;
}
