import type { ConditionCode, Holding } from "../../core/alerts/alerts.ts";
import { LONGEST_WINDOW_MS } from "../../core/alerts/rules.ts";
import { HOUR_MS, instant, isoTime, type Millis } from "../../core/time.ts";

type WebChange = Readonly<{ at: Millis; subject: string; detail: string; isNewNetwork: boolean }>;
type Seen = Readonly<{ at: Millis; count: number; holding: Holding }>;

/**
 * Changes through the web within a day, each with a separate alert, even a second change of the same thing. Past
 * `most` within the day, those of each hour share one alert. So harmless changes hide none, and leave room for other alerts.
 * A change from a network that is not the owner's is critical.
 */
export class EachChange {
  readonly #code: ConditionCode;
  readonly #most: number;
  #single: readonly Seen[] = [];
  readonly #hours = new Map<string, Seen>();

  constructor(code: ConditionCode, most: number) {
    this.#code = code;
    this.#most = most;
  }

  take({ at, subject, detail, isNewNetwork }: WebChange): void {
    this.#forget(at);
    const code = isNewNetwork ? "web_new_network" : this.#code;
    if (this.#single.length < this.#most) {
      this.#single = [...this.#single, { at, count: 1, holding: { code, subject, detail } }];
      return;
    }
    const hour = Math.floor(at / HOUR_MS);
    const key = `${code} ${hour}`;
    const count = (this.#hours.get(key)?.count ?? 0) + 1;
    const more = `further changes since ${isoTime(instant(hour * HOUR_MS))}`;
    const holding = { code, subject: more, detail: `${count} so far, the last: ${subject}: ${detail}` };
    this.#hours.set(key, { at, count, holding });
  }

  holding(now: Millis): readonly Holding[] {
    this.#forget(now);
    return [...this.#single, ...this.#hours.values()].map(({ holding }) => holding);
  }

  /** So that no entry lasts forever after a clock was set back. */
  #forget(now: Millis): void {
    const isOver = ({ at }: Seen): boolean => Math.abs(now - at) >= LONGEST_WINDOW_MS;
    this.#single = this.#single.filter((one) => !isOver(one));
    for (const [key, seen] of this.#hours) if (isOver(seen)) this.#hours.delete(key);
  }
}
