const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** Powers of 1,000, one digit after the point. */
export function size(bytes: number): string {
  let at = 0;
  let value = bytes;
  for (; value >= 1_000 && at < UNITS.length - 1; at += 1) value /= 1_000;
  return `${at === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[at] ?? ""}`;
}
