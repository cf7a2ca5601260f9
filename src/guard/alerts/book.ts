import { alertKey, END_AT_ONCE, type Holding, isServerIll } from "../../core/alerts/alerts.ts";
import { later, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Alert } from "./ports.ts";

/** More open alerts than anyone reads. Further conditions are dropped, unless they mean that the server is unhealthy. */
const MOST_OPEN = 200;
const MOST_RESOLVED = 100;
/** By then every check has run once. Until then, an alert from before the start may still be true. */
const LOOKED_AT_MS = 30 * SECOND_MS;

type BookChange = Readonly<{ opened: readonly Alert[]; resolved: readonly Alert[] }>;

/**
 * The open alerts. A condition opens one alert, however often it recurs. The alert is resolved once the condition has
 * been false for a while, so something that comes and goes is one alert.
 */
export class AlertBook {
  readonly #open = new Map<string, Alert>();
  #resolved: readonly Alert[] = [];

  /** Open alerts stay open: after a restart nothing has been checked yet. */
  constructor(alerts: readonly Alert[], now: Millis) {
    for (const alert of alerts)
      if (alert.resolvedAt === null) this.#open.set(alertKey(alert), { ...alert, lastAt: later(now, LOOKED_AT_MS) });
    this.#resolved = alerts.filter(({ resolvedAt }) => resolvedAt !== null);
  }

  get open(): readonly Alert[] {
    return [...this.#open.values()];
  }

  isOpen(one: Pick<Alert, "code" | "subject">): boolean {
    return this.#open.has(alertKey(one));
  }

  /** Newest first. */
  get resolved(): readonly Alert[] {
    return this.#resolved;
  }

  update(holding: readonly Holding[], now: Millis, settleMs: number): BookChange {
    const opened: Alert[] = [];
    for (const one of holding) {
      const before = this.#open.get(alertKey(one));
      if (before === undefined && this.#open.size >= MOST_OPEN && !isServerIll(one.code)) continue;
      const alert: Alert = { ...one, openedAt: before?.openedAt ?? now, lastAt: now, resolvedAt: null };
      this.#open.set(alertKey(one), alert);
      if (before === undefined) opened.push(alert);
    }
    const resolved: Alert[] = [];
    for (const [key, alert] of this.#open) {
      const goneMs = now - alert.lastAt;
      // For a condition that still holds, `goneMs` is 0.
      const neededMs = END_AT_ONCE.includes(alert.code) ? 1 : settleMs;
      // An alert is further in the future only after the clock was set back, and must not last forever.
      if (goneMs < neededMs && goneMs >= -LOOKED_AT_MS) continue;
      this.#open.delete(key);
      resolved.push({ ...alert, resolvedAt: now });
    }
    this.#resolved = [...resolved, ...this.#resolved].slice(0, MOST_RESOLVED);
    return { opened, resolved };
  }
}
