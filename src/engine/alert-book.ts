import { type Holding, keyOf } from "../core/alerts.ts";
import type { Millis } from "../core/time.ts";
import type { Alert } from "./alert-ports.ts";

/** More conditions at once than anybody reads; what comes on top of them is not told one by one. */
const MOST_OPEN = 200;
const MOST_RESOLVED = 100;

export type BookChange = Readonly<{ opened: readonly Alert[]; resolved: readonly Alert[] }>;

/**
 * Which alerts are open. A condition opens one alert, however often it recurs, and the alert is resolved once the
 * condition has not held for a while: what comes and goes is one alert.
 */
export class AlertBook {
  readonly #open = new Map<string, Alert>();
  #resolved: readonly Alert[] = [];

  /** What was open goes on: after a restart nothing has been looked at yet. */
  constructor(alerts: readonly Alert[], now: Millis) {
    for (const alert of alerts) if (alert.resolvedAt === null) this.#open.set(keyOf(alert), { ...alert, lastAt: now });
    this.#resolved = alerts.filter(({ resolvedAt }) => resolvedAt !== null);
  }

  get open(): readonly Alert[] {
    return [...this.#open.values()];
  }

  /** The newest first. */
  get resolved(): readonly Alert[] {
    return this.#resolved;
  }

  update(holding: readonly Holding[], now: Millis, settleMs: number): BookChange {
    const opened: Alert[] = [];
    for (const one of holding) {
      const before = this.#open.get(keyOf(one));
      if (before === undefined && this.#open.size >= MOST_OPEN) continue;
      const alert: Alert = { ...one, openedAt: before?.openedAt ?? now, lastAt: now, resolvedAt: null };
      this.#open.set(keyOf(one), alert);
      if (before === undefined) opened.push(alert);
    }
    const resolved: Alert[] = [];
    for (const [key, alert] of this.#open) {
      if (alert.lastAt === now) continue;
      // A clock that was set back makes nothing last for ever.
      if (now - alert.lastAt < settleMs && now > alert.lastAt) continue;
      this.#open.delete(key);
      resolved.push({ ...alert, resolvedAt: now });
    }
    this.#resolved = [...resolved, ...this.#resolved].slice(0, MOST_RESOLVED);
    return { opened, resolved };
  }
}
