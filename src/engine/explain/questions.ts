import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { Health } from "../../wire/control/items.ts";
import type { Ranking, Span } from "../figures.ts";
import type { BansAsked, EventFilter, Queries } from "../storage-ports.ts";
import { eventsText } from "./events-text.ts";
import { ownMail, type Reader } from "./own-mail.ts";
import { ownSignIns } from "./own-sign-ins.ts";
import { seriesOf } from "./series.ts";
import { spamScores } from "./spam-scores.ts";
import { statsText } from "./stats.ts";
import { waitingMails } from "./waiting-mails.ts";
import { whyAccount, whyAddress, whyMessage } from "./why.ts";

/** Questions that read many rows. They and their answers are only data, so that another thread can answer. */
export const QUESTIONS = {
  stats: (queries: Queries, health: Health, now: Millis) => statsText(queries, health, now),
  bans: (queries: Queries, now: Millis, asked: BansAsked) => queries.bans(now, asked),
  events: (queries: Queries, filter: EventFilter) => eventsText(queries, filter),
  address: (queries: Queries, prefix: Prefix, now: Millis, memoryMs: number) =>
    whyAddress(queries, prefix, now, memoryMs),
  account: (queries: Queries, account: string) => whyAccount(queries, account),
  message: (queries: Queries, name: string) => whyMessage(queries, name),
  ownSignIns: (queries: Queries, account: string, asked: Readonly<{ limit: number; cursor: number | null }>) =>
    ownSignIns(queries, account, asked),
  ownMail: (queries: Queries, reader: Reader, id: string) => ownMail(queries, reader, id),
  series: ({ figures }: Queries, span: Span) => seriesOf(figures, span),
  waiting: (queries: Queries, now: Millis) => waitingMails(queries, now),
  spam: (queries: Queries, now: Millis, asked: Readonly<{ limit: number; cursor: number | null }>) =>
    spamScores(queries, now, asked),
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
