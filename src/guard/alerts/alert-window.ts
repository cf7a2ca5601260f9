import { alertKey, type Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";

/** Takes each event, and lists the conditions that hold now because of them. */
export type AlertWindow = Readonly<{
  take(event: AlertEvent): void;
  /** Restores an open alert whose events are not read again: in a flood, a day has more events than are read. */
  remember?(open: Holding, at: Millis): void;
  holding(now: Millis): readonly Holding[];
}>;

/**
 * Conditions that hold for a while after their last event. `most`: maximum for each code, to leave room for other alerts. Earlier ones
 * stay, so that alerts do not come and go.
 */
export function timedConditions(forMs: number, most: number = Number.POSITIVE_INFINITY) {
  const found = new Map<string, Readonly<{ at: Millis; holding: Holding }>>();
  /** After a clock was set back, no condition lasts forever. */
  const holding = (now: Millis): readonly Holding[] => {
    for (const [key, { at }] of found) if (Math.abs(now - at) >= forMs) found.delete(key);
    return [...found.values()].map((one) => one.holding);
  };
  return {
    holding,
    set: (condition: Holding, at: Millis): void => {
      const key = alertKey(condition);
      const isFull = (): boolean => holding(at).filter(({ code }) => code === condition.code).length >= most;
      if (found.has(key) || !isFull()) found.set(key, { at, holding: condition });
    },
    /** After a restart events are read again, so an event from before the condition does not end it. */
    delete: (condition: Pick<Holding, "code" | "subject">, at: Millis): void => {
      const key = alertKey(condition);
      if ((found.get(key)?.at ?? at) <= at) found.delete(key);
    },
  };
}
