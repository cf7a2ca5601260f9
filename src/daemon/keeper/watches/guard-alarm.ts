import { randomUUID } from "node:crypto";
import type { AlertKind } from "../../../core/alerts/alerts.ts";
import { type AlertLanguage, alertFrames } from "../../../core/alerts/frames.ts";
import { printable } from "../../../core/text.ts";
import { isoTime, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../engine/ports.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { KeeperReply } from "../../../wire/control/keeper.ts";
import { lastWord } from "../../set-up/running/last-words.ts";
import type { AlertMail } from "../alert-mails.ts";

/** A restart takes a few seconds, even with a large database. */
const PATIENCE_MS = 12 * SECOND_MS;
const RETRY_MS = 10 * SECOND_MS;
const WORD_CHARACTERS = 1_000;

export type GuardAlarmParts = Readonly<{
  layout: Layout;
  clock: Clock;
  mail: (alert: AlertMail) => Promise<KeeperReply>;
  /** The guard's port that a foreign program holds, in one sentence; null if there is none. */
  takenPort: () => string | null;
  /** The language of the alerts. */
  language: () => AlertLanguage;
  say: (line: string) => void;
}>;

/** Mails the owner when the guard does not run, since no other alert is sent then. */
export class GuardAlarm {
  readonly #parts: GuardAlarmParts;
  #downSince: Millis | null = null;
  #alerted: Readonly<{ since: Millis }> | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardAlarmParts) {
    this.#parts = parts;
  }

  /** Call it about every second. Never rejects. */
  async look(isRunning: boolean): Promise<void> {
    const now = this.#parts.clock.now();
    if (isRunning) {
      this.#downSince = null;
      if (this.#alerted !== null) await this.#tellEnd(this.#alerted.since, now);
      return;
    }
    this.#downSince ??= now;
    if (this.#alerted !== null || now - this.#downSince < PATIENCE_MS) return;
    const { layout, say, language, takenPort } = this.#parts;
    const frame = alertFrames[language()];
    const word = printable(lastWord(layout, "guard") ?? "(none)", WORD_CHARACTERS);
    const taken = takenPort();
    const consequence = taken === null ? frame.unguarded : frame.portTaken(taken);
    const body = [frame.silentSince(isoTime(this.#downSince), word), consequence, frame.comesBack];
    if (!(await this.#mail("opened", frame.guardDown, body))) return;
    this.#alerted = { since: this.#downSince };
    say(`the guard does not run${taken === null ? "" : `: ${taken}`}; the owner was alerted. Its last words: ${word}`);
  }

  async #tellEnd(since: Millis, now: Millis): Promise<void> {
    const frame = alertFrames[this.#parts.language()];
    const body = [frame.silentFrom(isoTime(since), isoTime(now))];
    if (await this.#mail("resolved", frame.guardUp, body)) this.#alerted = null;
  }

  /** Whether it was queued. */
  async #mail(kind: AlertKind, title: string, body: readonly string[]): Promise<boolean> {
    const { clock, mail } = this.#parts;
    const at = clock.now();
    if (at - this.#triedAt < RETRY_MS && at >= this.#triedAt) return false;
    this.#triedAt = at;
    const id = randomUUID();
    const sent = await mail({
      verb: "mail_alert",
      id,
      kind,
      at,
      severity: "critical",
      title,
      body: body.join("\n\n"),
    });
    if (sent.ok) this.#triedAt = Number.NEGATIVE_INFINITY;
    return sent.ok;
  }
}
