import type { ConditionCode, Holding } from "../../core/alerts/alerts.ts";
import { LONGEST_WINDOW_MS } from "../../core/alerts/rules.ts";
import { HOUR_MS, instant, isoTime, type Millis } from "../../core/time.ts";

type WebChange = Readonly<{ at: Millis; subject: string; detail: string }>;
type Seen = Readonly<{ at: Millis; count: number; holding: Holding }>;

/**
 * Changes through the web within a day, each an alert of its own: a second change of the same thing is told too. Past
 * `most` within the day, those of each hour are one alert. So harmless changes hide none, and leave room among the alerts.
 */
export class EachChange {
  readonly #code: ConditionCode;
  readonly #most: number;
  #single: readonly Seen[] = [];
  readonly #hours = new Map<number, Seen>();

  constructor(code: ConditionCode, most: number) {
    this.#code = code;
    this.#most = most;
  }

  take({ at, subject, detail }: WebChange): void {
    this.#forget(at);
    if (this.#single.length < this.#most) {
      this.#single = [...this.#single, { at, count: 1, holding: { code: this.#code, subject, detail } }];
      return;
    }
    const hour = Math.floor(at / HOUR_MS);
    const count = (this.#hours.get(hour)?.count ?? 0) + 1;
    const more = `further changes since ${isoTime(instant(hour * HOUR_MS))}`;
    const holding = { code: this.#code, subject: more, detail: `${count} so far, the last: ${subject}: ${detail}` };
    this.#hours.set(hour, { at, count, holding });
  }

  holding(now: Millis): readonly Holding[] {
    this.#forget(now);
    return [...this.#single, ...this.#hours.values()].map(({ holding }) => holding);
  }

  /** A clock that was set back makes nothing last for ever. */
  #forget(now: Millis): void {
    const isOver = ({ at }: Seen): boolean => Math.abs(now - at) >= LONGEST_WINDOW_MS;
    this.#single = this.#single.filter((one) => !isOver(one));
    for (const [hour, seen] of this.#hours) if (isOver(seen)) this.#hours.delete(hour);
  }
}
