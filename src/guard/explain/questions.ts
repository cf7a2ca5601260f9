import type { SpamScores } from "../../admin/declare/items.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type { Ranking, Span } from "../figures.ts";
import type { BansAsked, Queries } from "../storage-ports.ts";
import { type AskedPage, cursorOf, type EventQueries, eventsSince, eventsText, everyPage } from "./event-pages.ts";
import { ownMail, ownSignIns } from "./own-mailbox.ts";
import { seriesOf, statsText } from "./stats.ts";
import { waitingMails } from "./waiting-mails.ts";
import { whyAccount, whyAddress, whyMessage } from "./why.ts";

/** Today and the thirteen whole days before, in UTC. There would be more if the clock was set back. */
const MOST_DAYS = 14;
/** Maximum mails counted for the days; the newest ones. */
const MOST_COUNTED = 5_000;

type ScoreQueries = Pick<Queries, "events" | "spamScores">;

/** The spam filter's scores, newest first, and with the first page how much was spam each day. */
export function spamScores(queries: ScoreQueries, now: Millis, { limit, cursor }: AskedPage): SpamScores {
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

/** Questions that read many rows. They and their answers are only data, so that another thread can answer. */
export const QUESTIONS = {
  stats: statsText,
  bans: (queries: Queries, now: Millis, asked: BansAsked) => queries.bans(now, asked),
  events: eventsText,
  address: whyAddress,
  account: whyAccount,
  message: whyMessage,
  ownSignIns,
  ownMail,
  series: ({ figures }: Queries, span: Span) => seriesOf(figures, span),
  waiting: waitingMails,
  spam: spamScores,
  top: ({ figures }: Queries, by: Ranking, since: Millis, most: number) => figures.top(by, since, most),
} as const;

export type Question = keyof typeof QUESTIONS;
type Rest<T> = T extends readonly [unknown, ...infer R] ? R : never;
/** Additional data for a question. */
export type Asked<Q extends Question> = Rest<Parameters<(typeof QUESTIONS)[Q]>>;
export type Answer<Q extends Question> = ReturnType<(typeof QUESTIONS)[Q]>;

/** Throws what `queries` throws. */
export function answerTo<Q extends Question>(queries: Queries, question: Q, asked: Asked<Q>): Answer<Q> {
  const answer: unknown = QUESTIONS[question];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of one entry, which TypeScript takes apart
  return (answer as (queries: Queries, ...asked: Asked<Q>) => Answer<Q>)(queries, ...asked);
}
