import type { Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import { EachChange } from "./each-change.ts";

/** Within a day; further ones are reported by the hour. */
const MOST_TOKENS = 20;

/**
 * Tokens made through the web within a day, each for itself, also a second one of the same name: who takes the web over while the
 * owner is signed in can make one, and it outlives the session. That it was revoked ends nothing: the same hand can do that.
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
