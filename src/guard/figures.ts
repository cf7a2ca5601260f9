import type { TopIp } from "../admin/declare/items.ts";
import { DAY_MS, type Millis } from "../core/time.ts";

/** How many bans are in force, by their origin. */
export type BanCounts = Readonly<{ engine: number; fail2ban: number; manual: number }>;

/** Events by type since the database was created, including those that retention removed. Types without events are absent. */
export type Totals = Readonly<Record<string, number>>;
/** A further key of `Totals`: how many of the accepted mails an account sent. */
export const SENT = "sent";
/** Further keys: how many mails, of strangers and of accounts, a filter refused or deferred after they counted as accepted or held. */
export const RECEIVED_REFUSED = "received_refused";
export const SENT_REFUSED = "sent_refused";

/** The time from `from` up to, but not including, `to`, in steps. All are multiples of a minute. */
export type Span = Readonly<{ from: Millis; to: Millis; stepMs: number }>;

/** How long single minutes are kept. Afterwards only hours are kept, and for addresses only days. */
export const MINUTES_FOR_MS = 2 * DAY_MS;
/** How long hours are kept. */
export const FIGURES_FOR_MS = 400 * DAY_MS;
export const RANKED_FOR_MS = 30 * DAY_MS;

/** What addresses are ranked by: mails sent or attempted, everything that was refused, failed sign-ins. */
export const RANKINGS = ["mails", "refusals", "failures"] as const;
export type Ranking = (typeof RANKINGS)[number];
export type Ranked = Readonly<{ ip: string; count: number }>;

/** Figures whose cost does not grow with the number of events. Events are counted by the minute in which they were written. */
export interface Figures {
  banCounts(now: Millis): BanCounts;
  /**
   * Ordered by mails sent or attempted, then by connections. With more than 10,000 events since, it starts up to an hour
   * earlier, or a day if that is long ago, and covers only the busiest addresses.
   */
  topIps(since: Millis, most: number): readonly TopIp[];
  /** The same addresses, by one figure; without those at zero. */
  top(by: Ranking, since: Millis, most: number): readonly Ranked[];
  /** The totals at the start of that minute; null: now. */
  totals(at: Millis | null): Totals;
  /** `totals` at the start of the span and at the end of each of its steps. */
  totalsAt(span: Span): readonly Totals[];
}
