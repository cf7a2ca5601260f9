import type { Millis } from "../core/time.ts";
import type { TopIp } from "../wire/control/items.ts";

/** By who or what banned. */
export type BanCounts = Readonly<{ engine: number; fail2ban: number; manual: number }>;

/**
 * Figures that take no longer where there are more events. With more than 10,000 events since the time asked for, they
 * begin up to an hour earlier (`topIps`) or ten minutes (`counts`), and of addresses only the busiest are known.
 */
export interface Figures {
  bansInForce(now: Millis): BanCounts;
  /** By how many mails they brought or tried to, then by connections. */
  topIps(since: Millis, most: number): readonly TopIp[];
  /** Events by type. */
  counts(since: Millis): Readonly<Record<string, number>>;
  /** Events by type since the database was made, with those that are gone. */
  recorded(): Readonly<Record<string, number>>;
}
