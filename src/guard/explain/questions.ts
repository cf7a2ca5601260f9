import type { Millis } from "../../core/time.ts";
import type { Ranking, Span } from "../figures.ts";
import type { BansAsked, Queries } from "../storage-ports.ts";
import { eventsText } from "./event-pages.ts";
import { ownMail, ownSignIns } from "./own-mailbox.ts";
import { spamScores } from "./spam-scores.ts";
import { seriesOf, statsText } from "./stats.ts";
import { waitingMails } from "./waiting-mails.ts";
import { whyAccount, whyAddress, whyMessage } from "./why.ts";

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
export type ArgumentsOf<Q extends Question> = Rest<Parameters<(typeof QUESTIONS)[Q]>>;
export type Answer<Q extends Question> = ReturnType<(typeof QUESTIONS)[Q]>;

/** Throws what `queries` throws. */
export function answerQuestion<Q extends Question>(queries: Queries, question: Q, asked: ArgumentsOf<Q>): Answer<Q> {
  const answer: unknown = QUESTIONS[question];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of one entry, which TypeScript takes apart
  return (answer as (queries: Queries, ...asked: ArgumentsOf<Q>) => Answer<Q>)(queries, ...asked);
}
