import { DAY_MS } from "../time.ts";
import type { DiskFigures } from "./facts.ts";

/** Fewer days say nothing about the next ones. */
const FEWEST_DAYS = 3;
/** A disk that is full later than this is not reported yet. */
const LATEST_DAYS = 3_650;

export type Growth = Readonly<{
  /** Over how many days it was measured. */
  days: number;
  usedPerDay: number;
  logsPerDay: number;
  databasesPerDay: number;
  /** Null: it does not grow, or not soon. */
  fullAt: string | null;
}>;

/** Null while there are too few days. Each rate is the slope of the line with the least squares, in bytes. */
export function growthOf(
  { history, freeBytes, totalBytes, logBytes, databaseBytes }: DiskFigures,
  now: string,
): Growth | null {
  const today = { day: now.slice(0, 10), usedBytes: totalBytes - freeBytes, logBytes, databaseBytes };
  const all = [...history.filter(({ day }) => day < today.day), today];
  const first = all[0]?.day ?? today.day;
  const days = (Date.parse(today.day) - Date.parse(first)) / DAY_MS;
  if (days < FEWEST_DAYS) return null;
  const at = all.map(({ day }) => (Date.parse(day) - Date.parse(first)) / DAY_MS);
  const slope = (values: readonly number[]): number => slopeOf(at, values);
  const usedPerDay = slope(all.map(({ usedBytes }) => usedBytes));
  const left = usedPerDay > 0 ? freeBytes / usedPerDay : Number.POSITIVE_INFINITY;
  return {
    days,
    usedPerDay,
    logsPerDay: slope(all.map((one) => one.logBytes)),
    databasesPerDay: slope(all.map((one) => one.databaseBytes)),
    fullAt: left > LATEST_DAYS ? null : new Date(Date.parse(now) + left * DAY_MS).toISOString(),
  };
}

function slopeOf(at: readonly number[], values: readonly number[]): number {
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
  const [midAt, midValue] = [mean(at), mean(values)];
  const across = at.reduce((sum, x) => sum + (x - midAt) ** 2, 0);
  const along = at.reduce((sum, x, i) => sum + (x - midAt) * ((values[i] ?? 0) - midValue), 0);
  return across === 0 ? 0 : along / across;
}
