import { type AlertCode, isOfManyAccounts } from "../../core/alerts/alerts.ts";
import { HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Alert, AlertMessage, Delivery } from "./ports.ts";

/** Maximum alerts of one kind that are sent one by one within an hour. */
const ONE_BY_ONE = 5;
/** Minimum time to collect the others, and minimum time between their digests. */
const COLLECTED_MS = MINUTE_MS;
const DIGEST_EVERY_MS = HOUR_MS;

export type Told = Readonly<{ alert: Alert; message: AlertMessage }>;
type Kind = "opened" | "resolved";

/** Many accounts with the same problem: the first alerts are sent one by one, the others together. */
export class AlertCrowd {
  #digestAt = Number.NEGATIVE_INFINITY;

  /**
   * When messages may be sent, by id; messages not listed need not wait. `book`: all known alerts, including these. `waiting`:
   * alerts not sent yet.
   */
  waits(
    due: readonly Told[],
    book: readonly Alert[],
    waiting: readonly Delivery[],
    now: Millis,
  ): ReadonlyMap<string, Millis> {
    const until = new Map<string, Millis>();
    const counts = new Map<string, number>();
    for (const { alert, message } of due) {
      const kind: Kind = message.kind === "resolved" ? "resolved" : "opened";
      if (!isOfManyAccounts(alert.code)) continue;
      const key = `${kind} ${alert.code}`;
      const before = counts.get(key) ?? earlier(book, due, { code: alert.code, kind }, now);
      counts.set(key, before + 1);
      // A resolution never arrives before its alert.
      const start = waiting.find((one) => one.channel === null && isAbout(one.message, message));
      if (start !== undefined) until.set(message.id, start.dueAt);
      else if (before >= ONE_BY_ONE) until.set(message.id, this.#nextDigest(now));
    }
    return until;
  }

  #nextDigest(now: Millis): Millis {
    const waitMs = this.#digestAt - now;
    // A longer wait means that the clock was set back.
    if (waitMs <= 0 || waitMs > DIGEST_EVERY_MS) {
      const restMs = waitMs > 0 ? 0 : waitMs + DIGEST_EVERY_MS;
      this.#digestAt = now + Math.max(COLLECTED_MS, restMs);
    }
    return later(now, this.#digestAt - now);
  }
}

function earlier(
  book: readonly Alert[],
  due: readonly Told[],
  { code, kind }: Readonly<{ code: AlertCode; kind: Kind }>,
  now: Millis,
): number {
  const isNew = (alert: Alert): boolean => due.some((one) => one.alert === alert);
  return book.filter((alert) => {
    const at = kind === "opened" ? alert.openedAt : alert.resolvedAt;
    return alert.code === code && at !== null && Math.abs(now - at) < HOUR_MS && !isNew(alert);
  }).length;
}

function isAbout(one: AlertMessage, other: AlertMessage): boolean {
  return one.code === other.code && one.subject === other.subject;
}
