import type { SpamScores } from "../../admin/declare/items.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type { Queries } from "../storage-ports.ts";
import { type AskedPage, cursorOf, type EventQueries, eventsSince, everyPage } from "./event-pages.ts";

/** Today and the thirteen whole days before, in UTC. There would be more if the clock was set back. */
const MOST_DAYS = 14;
/** Maximum mails counted for the days; the newest ones. */
const MOST_COUNTED = 5_000;

/** The spam filter's scores, newest first, and with the first page how much was spam each day. */
export function spamScores(
  queries: Pick<Queries, "events" | "spamScores">,
  now: Millis,
  { limit, cursor }: AskedPage,
): SpamScores {
  const filter = { types: ["SPAM_SCORED"], most: limit, order: "newest_first" } as const;
  const page = everyPage(queries, cursor === null ? filter : { ...filter, before: cursor });
  const scores = queries.spamScores(page.items.map(({ id }) => id));
  const items = page.items.map(({ id, at, recipient, messageId, verdict }) => {
    const { score = null, required = null } = scores.get(id) ?? {};
    return { id, at, recipient, messageId, isSpam: verdict === "mark", score, required };
  });
  return {
    items,
    next: cursorOf(page.next),
    ...(cursor === null ? daysOf(queries, now) : { days: [], complete: true }),
  };
}

function daysOf(queries: EventQueries, now: Millis): Pick<SpamScores, "days" | "complete"> {
  const since = later(now, -(now % DAY_MS) - (MOST_DAYS - 1) * DAY_MS);
  const { items, isAll } = eventsSince(queries, "SPAM_SCORED", since, MOST_COUNTED);
  const days = [...Map.groupBy(items, ({ at }) => at.slice(0, 10))].map(([day, all]) => ({
    day,
    scored: all.length,
    spam: all.filter(({ verdict }) => verdict === "mark").length,
  }));
  return { days: days.toSorted((a, b) => b.day.localeCompare(a.day)).slice(0, MOST_DAYS), complete: isAll };
}
