import type { Notice } from "../../admin/declare/items.ts";
import { type NoticeCode, notices as texts } from "../../core/alerts/notices.ts";
import { isoTime } from "../../core/time.ts";
import type { Clock, Log, Notices } from "../ports.ts";

/** Maximum subjects of one notice: the alerts look up each of them every second. */
const MOST_SUBJECTS = 1_000;

/** Holds the current notices, at most one of each code, and logs when one appears and ends. */
export class NoticeBoard implements Notices {
  readonly #raised = new Map<NoticeCode, Notice>();
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  set(code: NoticeCode, detail: string | null, about?: readonly string[]): void {
    const before = this.#raised.get(code);
    if (detail === null) {
      if (this.#raised.delete(code)) this.#log.info("Notice cleared.", { notice: code, since: before?.since ?? null });
      return;
    }
    const since = before?.since ?? isoTime(this.#clock.now());
    const subjects = about === undefined ? {} : { about: about.slice(-MOST_SUBJECTS) };
    this.#raised.set(code, { code, since, detail, ...texts[code], ...subjects });
    if (before === undefined) this.#log.warn(texts[code].says, { notice: code, detail });
  }

  list(): readonly Notice[] {
    return [...this.#raised.values()];
  }
}
