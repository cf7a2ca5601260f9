import type { Millis } from "../core/time.ts";
import type { TopIp } from "../wire/control/items.ts";

/** Bans by their origin. */
export type BanCounts = Readonly<{ engine: number; fail2ban: number; manual: number }>;

/**
 * Figures whose cost does not grow with the number of events. With more than 10,000 events since the requested time,
 * they start up to an hour earlier (`topIps`) or ten minutes earlier (`counts`), and cover only the busiest addresses.
 */
export interface Figures {
  bansInForce(now: Millis): BanCounts;
  /** Ordered by mails sent or attempted, then by connections. */
  topIps(since: Millis, most: number): readonly TopIp[];
  /** Events by type. */
  counts(since: Millis): Readonly<Record<string, number>>;
  /** Events by type since the database was created, including deleted events. */
  recorded(): Readonly<Record<string, number>>;
}
