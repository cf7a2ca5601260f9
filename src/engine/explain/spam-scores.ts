import { DAY_MS, isoTime, later, type Millis } from "../../core/time.ts";
import type { SpamScores } from "../../wire/control/items.ts";
import type { EventFilter, Queries } from "../storage-ports.ts";
import { everyPage } from "./every-page.ts";

const DAYS_MS = 14 * DAY_MS;
/** Maximum mails counted for the days; the newest ones. */
const MOST_COUNTED = 5_000;

type Asked = Readonly<{ limit: number; cursor: number | null }>;

/** The spam filter's scores, newest first, and with the first page how much was spam each day. */
export function spamScores(queries: Pick<Queries, "events" | "spamScores">, now: Millis, asked: Asked): SpamScores {
  const { limit, cursor } = asked;
  const page = scored(queries, { most: limit, ...(cursor !== null && { before: cursor }) });
  const scores = queries.spamScores(page.items.map(({ id }) => id));
  const items = page.items.map(({ id, at, recipient, messageId, verdict }) => {
    const { score = null, required = null } = scores.get(id) ?? {};
    return { id, at, recipient, messageId, isSpam: verdict === "mark", score, required };
  });
  const next = page.next === null ? null : String(page.next);
  return { items, next, ...(cursor === null ? daysOf(queries, now) : { days: [], complete: true }) };
}

function daysOf(queries: Pick<Queries, "events">, now: Millis): Pick<SpamScores, "days" | "complete"> {
  const since = isoTime(later(now, -DAYS_MS));
  const { items, next } = scored(queries, { most: MOST_COUNTED });
  const newer = items.filter(({ at }) => at >= since);
  const days = new Map<string, { day: string; scored: number; spam: number }>();
  for (const { at, verdict } of newer) {
    const day = at.slice(0, 10);
    const counted = days.get(day) ?? { day, scored: 0, spam: 0 };
    counted.scored += 1;
    if (verdict === "mark") counted.spam += 1;
    days.set(day, counted);
  }
  const newestFirst = [...days.values()].toSorted((a, b) => (a.day < b.day ? 1 : -1));
  return { days: newestFirst.slice(0, 14), complete: next === null || newer.length < items.length };
}

function scored(queries: Pick<Queries, "events">, part: Pick<EventFilter, "most" | "before">) {
  return everyPage((one) => queries.events(one), { type: "SPAM_SCORED", order: "newest_first", ...part });
}
