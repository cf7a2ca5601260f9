import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import type { Health, Stats } from "../../wire/control/items.ts";
import type { BanCounts } from "../figures.ts";
import type { Queries } from "../storage-ports.ts";
import { eventsBetween } from "./series.ts";

const WINDOW_MS = DAY_MS;
const BANS = 50;
const EVENTS = 50;
const TOP_IPS = 10;

/** The overview for the command line and the API: the latest bans and events, and counts of the last 24 hours. */
export function statsOf(queries: Queries, health: Health, now: Millis): Stats {
  const since = instant(now - WINDOW_MS);
  const { figures } = queries;
  const newest = queries.bans(now, { limit: BANS, cursor: null });
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
