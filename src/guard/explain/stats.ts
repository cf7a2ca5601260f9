import { BANS_ANSWERED, type Health, type Stats } from "../../admin/declare/items.ts";
import { EVENT_TYPES, type EventType } from "../../core/events/event-types.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, MINUTE_MS, type Millis } from "../../core/time.ts";
import {
  type BanCounts,
  type Figures,
  MINUTES_FOR_MS,
  RECEIVED_REFUSED,
  SENT,
  SENT_REFUSED,
  type Span,
  type Totals,
} from "../figures.ts";
import type { Queries } from "../storage-ports.ts";

/** The series of charts, each a number of events. */
const SERIES = {
  connections: (of: Of) => of("CONNECT") + of("CONNECT_REFUSED") + of("CONNECT_DEFERRED"),
  mails_in: (of: Of) => Math.max(0, of("EMAIL_ACCEPTED") - of(SENT) - of(RECEIVED_REFUSED)),
  mails_out: (of: Of) => Math.max(0, of(SENT) + of("EMAIL_HELD") - of(SENT_REFUSED)),
  refused: (of: Of) => of("EMAIL_BLOCKED") + of("CONNECT_REFUSED"),
  deferred: (of: Of) => of("EMAIL_DEFERRED") + of("CONNECT_DEFERRED"),
  logins: (of: Of) => of("LOGIN_SUCCEEDED"),
  logins_failed: (of: Of) => of("LOGIN_FAILED") + of("LOGIN_REFUSED"),
  bans: (of: Of) => of("BAN"),
} as const;
type SeriesName = keyof typeof SERIES;
type Each<T> = Readonly<Record<SeriesName, T>>;

/** How often events of a type happened. */
type Of = (type: EventType | typeof SENT | typeof RECEIVED_REFUSED | typeof SENT_REFUSED) => number;

/** Maximum steps of a chart, and maximum if no step is requested. */
const MOST_STEPS = 1_500;
const USUAL_STEPS = 300;
const STEPS_MS = [5, 10, 360, 1_440, 10_080].map((minutes) => minutes * MINUTE_MS);

/**
 * A chart with too many steps gets longer ones. A step is a multiple of the resolution at that time: a step
 * that splits hours would count an hour's events in one of its halves.
 */
export function spanOf(from: Millis, to: Millis, stepMs: number | null, now: Millis): Span {
  const leastMs = now - from > MINUTES_FOR_MS ? HOUR_MS : MINUTE_MS;
  const most = stepMs === null ? USUAL_STEPS : MOST_STEPS;
  const enough = (ms: number): boolean => ms >= leastMs && (to - from) / ms <= most;
  const asked = Math.ceil((stepMs ?? leastMs) / leastMs) * leastMs;
  const step = [asked, ...STEPS_MS].find(enough) ?? DAY_MS * 7;
  // By then, only the last row of each hour is left.
  const end = now - to > MINUTES_FOR_MS ? instant(Math.ceil(to / HOUR_MS) * HOUR_MS) : to;
  return { from: instant(from - (from % step)), to: end, stepMs: step };
}

/** The counts of each step. */
export function seriesOf(figures: Figures, span: Span): Each<readonly number[]> {
  const all = figures.totalsAt(span);
  const points = all.slice(1).map((totals, i) => pointBetween(all[i] ?? {}, totals));
  return each((name) => points.map((point) => point[name]));
}

export function pointBetween(before: Totals, after: Totals): Each<number> {
  // A count is lower than before if the clock was set back in between.
  const of: Of = (type) => Math.max(0, (after[type] ?? 0) - (before[type] ?? 0));
  return each((name) => SERIES[name](of));
}

export function each<T>(of: (name: SeriesName) => T): Each<T> {
  return {
    connections: of("connections"),
    mails_in: of("mails_in"),
    mails_out: of("mails_out"),
    refused: of("refused"),
    deferred: of("deferred"),
    logins: of("logins"),
    logins_failed: of("logins_failed"),
    bans: of("bans"),
  };
}

export function eventsBetween(before: Totals, after: Totals): Readonly<Record<string, number>> {
  const counts = EVENT_TYPES.toSorted().map((type) => [type, (after[type] ?? 0) - (before[type] ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, n]) => n > 0));
}

const WINDOW_MS = DAY_MS;
const EVENTS = 50;
const TOP_IPS = 10;

/** More than can be in force. */
export const ALL_BANS = 10_000_000;

/** The overview, as the JSON text that the API returns: see `eventsText`. */
export function statsText(queries: Queries, health: Health, now: Millis): string {
  return JSON.stringify(statsOf(queries, health, now, BANS_ANSWERED));
}

/** The overview for the command line and the API: bans in force, the latest events, and counts of the last 24 hours. */
export function statsOf(queries: Queries, health: Health, now: Millis, mostBans: number): Stats {
  const since = instant(now - WINDOW_MS);
  const { figures } = queries;
  const newest = queries.bans(now, { limit: mostBans, cursor: null });
  return {
    generatedAt: isoTime(now),
    bans: { active: allBans(figures.banCounts(now)), ...newest },
    events: queries.events({ most: EVENTS, order: "newest_first" }).items,
    topIps: figures.topIps(since, TOP_IPS),
    counts: eventsBetween(figures.totals(since), figures.totals(null)),
    health,
  };
}

export function allBans({ engine, fail2ban, manual }: BanCounts): number {
  return engine + fail2ban + manual;
}
