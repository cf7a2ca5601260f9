import { OF_MANY } from "../../core/alerts/alerts.ts";
import { HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Alert, AlertMessage, Delivery } from "./ports.ts";

/** Maximum alerts of one kind that are sent one by one within an hour. */
const ONE_BY_ONE = 5;
/** Minimum time to collect the others, and minimum time between their digests. */
const COLLECTED_MS = MINUTE_MS;
export const DIGEST_EVERY_MS = HOUR_MS;

type Due = Readonly<{ alert: Alert; message: AlertMessage }>;
/** When messages may be sent, by id; messages not listed need not wait. */
export type Waits = ReadonlyMap<string, Millis>;

/** When many accounts have the same problem, the first alerts are sent one by one, and the others in digests. */
export class AlertDigests {
  #digestAt = Number.NEGATIVE_INFINITY;

  /** `book`: all known alerts, including these. `waiting`: alerts not sent yet. */
  waits(due: readonly Due[], book: readonly Alert[], waiting: readonly Delivery[], now: Millis): Waits {
    const until = new Map<string, Millis>();
    const counts = new Map<string, number>();
    for (const { alert, message } of due) {
      if (!OF_MANY.includes(alert.code)) continue;
      const key = `${message.kind} ${alert.code}`;
      const before = counts.get(key) ?? earlier(book, due, message, now);
      counts.set(key, before + 1);
      // A resolution never arrives before its alert.
      const start = waiting.find(
        ({ channel, message: { code, subject } }) =>
          channel === null && code === message.code && subject === message.subject,
      );
      if (start !== undefined) until.set(message.id, start.dueAt);
      else if (before >= ONE_BY_ONE) until.set(message.id, this.#nextDigest(now));
    }
    return until;
  }

  #nextDigest(now: Millis): Millis {
    const waitMs = this.#digestAt - now;
    // A longer wait means that the clock was set back.
    if (waitMs > DIGEST_EVERY_MS) this.#digestAt = now + COLLECTED_MS;
    else if (waitMs <= 0) this.#digestAt = Math.max(now + COLLECTED_MS, this.#digestAt + DIGEST_EVERY_MS);
    return later(now, this.#digestAt - now);
  }
}

function earlier(book: readonly Alert[], due: readonly Due[], { code, kind }: AlertMessage, now: Millis): number {
  const isNew = (alert: Alert): boolean => due.some((one) => one.alert === alert);
  return book.filter((alert) => {
    const at = kind === "resolved" ? alert.resolvedAt : alert.openedAt;
    return alert.code === code && at !== null && Math.abs(now - at) < HOUR_MS && !isNew(alert);
  }).length;
}
