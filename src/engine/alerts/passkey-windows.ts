import type { Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import { EachChange } from "./each-change.ts";

/** Maximum of each kind within a day; further ones are reported by the hour. */
const MOST_CHANGES = 20;

/** Changes of passkeys within a day, one by one: a passkey that a stranger added outlives the session. */
export class PasskeyWindows {
  readonly #changed = new EachChange("web_passkey", MOST_CHANGES);
  readonly #copied = new EachChange("passkey_copied", MOST_CHANGES);

  take({ id, type, subject, actor, at, isNewNetwork }: AlertEvent): void {
    if (subject === null || actor === null) return;
    const alertOf = (became: string) => ({
      at,
      subject: `${subject} ${became} (event ${id})`,
      detail: `by ${actor}`,
      isNewNetwork: became !== "copied" && isNewNetwork,
    });
    if (type === "PASSKEY_ADDED") this.#changed.take(alertOf("added"));
    if (type === "PASSKEY_REMOVED") this.#changed.take(alertOf("removed"));
    if (type === "PASSKEY_REFUSED") this.#copied.take(alertOf("copied"));
  }

  holding(now: Millis): readonly Holding[] {
    return [...this.#changed.holding(now), ...this.#copied.holding(now)];
  }
}
