import type { Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, LONGEST_WINDOW_MS } from "../../core/alerts/rules.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { plural } from "../../core/text.ts";
import type { Millis } from "../../core/time.ts";
import { callersIp } from "../../wire/control/rights.ts";
import { EachChange } from "./each-change.ts";

/** More wrong codes than an owner mistypes. */
const GUESSES = 5;
/** Maximum of each kind within a day; further ones are reported by the hour. */
const MOST_CHANGES = 20;

const CHANGES: Partial<Record<EventType, (subject: string) => string>> = {
  FACTOR_ADDED: (subject) => `${subject} set up`,
  FACTOR_REMOVED: (subject) => `${subject} removed`,
  RECOVERY_CODES_MADE: () => "new recovery codes",
  RECOVERY_CODE_USED: (subject) => subject,
};

/** Changes of the second factors through the web within a day, one by one, and wrong codes after the right password. */
export class FactorWindows {
  readonly #changed = new EachChange("web_factor", MOST_CHANGES);
  readonly #codes = new EachChange("recovery_code_used", MOST_CHANGES);
  #wrong: readonly Millis[] = [];
  /** Addresses from which the right password came without a code: each is reported once. */
  readonly #asked = new Map<string, Millis>();

  take({ id, type, subject, actor, at, isNewNetwork }: AlertEvent): void {
    if (actor?.startsWith("web:") !== true) return;
    if (type === "SECOND_FACTOR_ASKED" && isNewNetwork) this.#ask(callersIp(actor) ?? "", at);
    if (type === "SECOND_FACTOR_FAILED") this.#wrong = [...this.#wrong, at].slice(-GUESSES);
    const says = CHANGES[type];
    if (says === undefined || subject === null) return;
    const changes = type === "RECOVERY_CODE_USED" ? this.#codes : this.#changed;
    changes.take({ at, subject: `${says(subject)} (event ${id})`, detail: `by ${actor}`, isNewNetwork });
  }

  holding(now: Millis): readonly Holding[] {
    this.#forget(now);
    const asked = [...this.#asked.keys()].map(
      (subject) => ({ code: "password_without_code", subject, detail: "" }) as const,
    );
    const changes = [...this.#changed.holding(now), ...this.#codes.holding(now), ...asked];
    if (this.#wrong.length < GUESSES) return changes;
    const detail = `${plural(GUESSES, "wrong code")} or more within a day`;
    return [...changes, { code: "second_factor_guessed", subject: "", detail }];
  }

  #ask(from: string, at: Millis): void {
    if (this.#asked.has(from) || this.#asked.size < MOST_CHANGES) this.#asked.set(from, at);
  }

  /** So that no entry lasts forever after a clock was set back. */
  #forget(now: Millis): void {
    const isOver = (at: Millis): boolean => Math.abs(now - at) >= LONGEST_WINDOW_MS;
    this.#wrong = this.#wrong.filter((at) => !isOver(at));
    for (const [from, at] of this.#asked) if (isOver(at)) this.#asked.delete(from);
  }
}
