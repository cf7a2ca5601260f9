import type { DatabaseSync } from "node:sqlite";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../src/core/time.ts";
import { eventsBetween, seriesOf, spanOf } from "../../src/guard/explain/stats.ts";
import { whyAccount, whyAddress, whyMessage } from "../../src/guard/explain/why.ts";
import type { EventFilter } from "../../src/guard/storage-ports.ts";
import { sqliteQueries } from "../../src/store/engine-db/queries.ts";
import { net } from "../kit/samples.ts";
import { FILLED } from "./fill.ts";

/** All queries of the API and the command line to `engine.db`, on a database that `fill` filled. Each returns how much it found. */
export function questions(db: DatabaseSync, now: Millis): Readonly<Record<string, () => number>> {
  const queries = sqliteQueries(db);
  const { figures } = queries;
  const events = (filter: Omit<EventFilter, "most" | "order">) => (): number =>
    queries.events({ ...filter, most: 50, order: "newest_first" }).items.length;
  const about = (text: string) => () =>
    whyAddress(queries, net(text), now, { memoryMs: 7 * DAY_MS, ipv6Prefix: 64 }).events.length;
  const dayAgo = later(now, -DAY_MS);
  const values = (counts: Readonly<Record<string, number>>): number => Object.values(counts).length;
  return {
    bans: () => queries.bans(now, { limit: 50, cursor: null }).items.length,
    "bans, from the middle": () => queries.bans(now, { limit: 500, cursor: "5001" }).items.length,
    "count of bans": () => figures.banCounts(now).engine,
    "busiest addresses": () => figures.topIps(dayAgo, 10).length,
    "busiest addresses of a month": () => figures.top("mails", later(now, -29 * DAY_MS), 50).length,
    "counts of a day": () => values(eventsBetween(figures.totals(dayAgo), figures.totals(null))),
    "counts of all time": () => values(figures.totals(null)),
    "chart of a day": () => seriesOf(figures, spanOf(dayAgo, now, MINUTE_MS, now)).mails_in.length,
    "chart of a month": () => seriesOf(figures, spanOf(later(now, -29 * DAY_MS), now, null, now)).mails_in.length,
    events: events({}),
    "events, from the middle": events({ before: 100_000 }),
    "events of a common type": events({ types: ["LOGIN_FAILED"] }),
    "events of a rare type": events({ types: [FILLED.rareType] }),
    "events of the busiest address": events({ prefix: net(FILLED.busiest) }),
    "the same, of one type": events({ prefix: net(FILLED.busiest), types: ["LOGIN_SUCCEEDED"] }),
    "the same, of a type never seen there": events({ prefix: net(FILLED.busiest), types: [FILLED.rareType] }),
    "the same, from the middle": events({ prefix: net(FILLED.busiest), before: 100_000 }),
    "events of an address seen once": events({ prefix: net(FILLED.rare) }),
    "events of a busy /24": events({ prefix: net("11.254.0.0/24") }),
    "events of a /24 seen once": events({ prefix: net("11.253.0.0/24") }),
    "events of a /24 never seen": events({ prefix: net("198.51.100.0/24") }),
    "events of a /16 never seen": events({ prefix: net("198.51.0.0/16") }),
    "events of a /8": events({ prefix: net("11.0.0.0/8") }),
    "events of several types": events({ types: ["BAN", "LOGIN_SUCCEEDED", FILLED.rareType] }),
    "events of a week ago": events({ to: later(now, -7 * DAY_MS) }),
    "events of an hour, a week ago, of a type": events({
      from: later(now, -7 * DAY_MS - HOUR_MS),
      to: later(now, -7 * DAY_MS),
      types: ["LOGIN_FAILED"],
    }),
    "events with a common text": events({ text: "IMAP Login=<u" }),
    "events with a text never seen": events({ text: "never seen" }),
    "events with a text never seen, with other letters": events({ text: "nie geh\u00f6rt" }),
    "events of the busiest address with a text never seen": events({ prefix: net(FILLED.busiest), text: "never" }),
    "why the busiest address": about(FILLED.busiest),
    "why an address seen once": about(FILLED.rare),
    "why an address never seen": about("198.51.100.1"),
    "why an account": () => whyAccount(queries, FILLED.account).timeline.length,
    "why an account seen once": () => whyAccount(queries, FILLED.rareAccount).timeline.length,
    "why a queue id": () => whyMessage(queries, FILLED.queueId).timeline.length,
    "why a Message-ID": () => whyMessage(queries, FILLED.messageId).timeline.length,
    "why a mail never seen": () => whyMessage(queries, "never@sender.test").timeline.length,
  };
}

/** Queries that find nothing. */
export const FINDS_NOTHING = /never seen/;
