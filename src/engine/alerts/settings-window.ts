import type { Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import { EachChange } from "./each-change.ts";

/** Maximum within a day; further ones are reported by the hour. */
const MOST_CHANGES = 20;

/**
 * Changes of the settings through the web within a day, one by one: a thief with the owner's session and password can
 * loosen the settings that would reveal the next step. Undoing a change does not end its alert.
 */
export class SettingsWindow {
  readonly #changes = new EachChange("web_settings", MOST_CHANGES);

  take({ id, type, subject, actor, at, isNewNetwork }: AlertEvent): void {
    if (type !== "SETTINGS_APPLIED" || subject === null || actor?.startsWith("web:") !== true) return;
    this.#changes.take({ at, subject: String(id), detail: `${subject} (by ${actor})`, isNewNetwork });
  }

  holding(now: Millis): readonly Holding[] {
    return this.#changes.holding(now);
  }
}
