import type { Ip } from "../net/ip.ts";
import type { Millis } from "../time.ts";

export type Blamed = Readonly<{ ip: Ip; offences: number; reported: boolean }>;

/**
 * The addresses that a jail would report for these offences, in any order: those with `limit` of them within the
 * window. The most offences come first.
 */
export function wouldReport(
  offences: readonly Readonly<{ ip: Ip; at: Millis }>[],
  { limit, windowMs }: Readonly<{ limit: number; windowMs: number }>,
): readonly Blamed[] {
  return [...Map.groupBy(offences, ({ ip }) => ip)]
    .map(([ip, all]) => {
      const times = all.map(({ at }) => at).toSorted((a, b) => a - b);
      const reported = times.some((at, i) => at - (times[i - limit + 1] ?? Number.NEGATIVE_INFINITY) < windowMs);
      return { ip, offences: times.length, reported };
    })
    .toSorted((a, b) => b.offences - a.offences || a.ip.localeCompare(b.ip));
}
