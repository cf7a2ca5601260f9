import type { Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import { EachChange } from "./each-change.ts";

/** Maximum within a day; further ones are reported by the hour. */
const MOST_TOKENS = 20;

/**
 * Tokens created through the web within a day, one by one, even a second one with the same name: an attacker who takes over the web
 * while the owner is signed in can create one, and it outlives the session. Revoking it does not end the alert: the attacker can do that too.
 */
export class TokenWindows {
  readonly #tokens = new EachChange("web_token", MOST_TOKENS);

  take({ id, type, subject: token, actor, at, isNewNetwork }: AlertEvent): void {
    if (type !== "TOKEN_CREATED" || token === null || actor?.startsWith("web:") !== true) return;
    this.#tokens.take({ at, subject: `${token} (event ${id})`, detail: `by ${actor}`, isNewNetwork });
  }

  holding(now: Millis): readonly Holding[] {
    return this.#tokens.holding(now);
  }
}
