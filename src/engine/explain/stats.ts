import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import type { Health, Stats } from "../../wire/control/items.ts";
import type { BanCounts } from "../figures.ts";
import type { Queries } from "../storage-ports.ts";
import { eventsBetween } from "./series.ts";

const WINDOW_MS = DAY_MS;
const EVENTS = 50;
const TOP_IPS = 10;

/** Maximum bans in an answer of the API: 3 MB. `next` leads to the others. */
export const BANS_ANSWERED = 10_000;
/** More than can be in force. */
export const ALL_BANS = 10_000_000;

/** The overview as the API answers it, as JSON: see `eventsText`. */
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
    bans: { active: allBans(figures.bansInForce(now)), ...newest },
    events: queries.events({ most: EVENTS, order: "newest_first" }).items,
    topIps: figures.topIps(since, TOP_IPS),
    counts: eventsBetween(figures.totals(since), figures.totals(null)),
    health,
  };
}

export function allBans({ engine, fail2ban, manual }: BanCounts): number {
  return engine + fail2ban + manual;
}
