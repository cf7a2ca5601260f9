import { HOUR_MS } from "../../../core/time.ts";
import type { Clock } from "../../../engine/ports.ts";
import type { Settings } from "../../../settings/schema.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";
import type { AskDatabases } from "../ask-databases.ts";

export type ReviewSettings = Pick<Settings, "audit.review_every">;

/** Knows whether the review of who can do what is overdue: the audit shows when the last one was signed. */
export class AccessReviewWatch {
  readonly #databases: Pick<AskDatabases, "lastAudited">;
  readonly #clock: Clock;
  #settings: ReviewSettings | null;
  #nextAt = 0;
  /** When it was signed last, or when the audit started (ISO 8601); null before the first entry. */
  #since: string | null = null;
  #isSigned = false;

  constructor(databases: Pick<AskDatabases, "lastAudited">, clock: Clock, settings: ReviewSettings | null) {
    this.#databases = databases;
    this.#clock = clock;
    this.#settings = settings;
  }

  use(settings: ReviewSettings): void {
    this.#settings = settings;
  }

  /** Reads the audit each hour, and more often while the review is overdue. Rejects if the audit cannot be read. */
  async look(): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#nextAt && now > this.#nextAt - 2 * HOUR_MS && this.troubles().length === 0) return;
    const { at, since } = await this.#databases.lastAudited("ACCESS_REVIEWED");
    this.#since = at ?? since;
    this.#isSigned = at !== null;
    this.#nextAt = now + HOUR_MS;
  }

  troubles(): readonly KeeperTrouble[] {
    const every = this.#settings?.["audit.review_every"] ?? 0;
    if (every === 0 || this.#since === null || this.#clock.now() - Date.parse(this.#since) < every) return [];
    const day = this.#since.slice(0, 10);
    const detail = this.#isSigned ? `the last review is of ${day}` : `there was none since ${day}`;
    return [{ code: "access_review_overdue", detail }];
  }
}
