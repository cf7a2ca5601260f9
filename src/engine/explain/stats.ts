import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import type { Health, Stats } from "../../wire/control/items.ts";
import type { Queries } from "../ports.ts";

const WINDOW_MS = DAY_MS;
const EVENTS = 50;
const TOP_IPS = 10;

/** The overview that the command line and the API give: bans, the latest events, and counts of the last 24 hours. */
export function statsOf(queries: Queries, health: Health, now: Millis): Stats {
  const since = instant(now - WINDOW_MS);
  const items = queries.bans(now);
  return {
    generatedAt: isoTime(now),
    bans: { active: items.length, items },
    events: queries.events({ most: EVENTS, order: "newest_first" }),
    topIps: queries.topIps(since, TOP_IPS),
    counts: queries.counts(since),
    health,
  };
}
