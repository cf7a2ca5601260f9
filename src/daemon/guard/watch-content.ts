import { writeSpamPreferences } from "../../adapters/content/spam-preferences.ts";
import { pingSpamd } from "../../adapters/content/spamd-client.ts";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { AuthorLists, SpamPreferences } from "../../engine/admin-ports.ts";
import { SpamFilterWatch } from "../../engine/alerts/spam-filter-watch.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";
import { renderSpamPreferences } from "../../render/content/spam-preferences.ts";
import type { Layout } from "../../settings/layout.ts";

export type ContentWatchParts = Readonly<{
  layout: Layout;
  preferences: SpamPreferences;
  authors: AuthorLists;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Whether SpamAssassin runs. */
  spam: boolean;
}>;

const PING_MS = 3 * SECOND_MS;

/** The files in which spamd finds the senders that a recipient lets in; written only when they change. */
export class SpamPreferenceFiles implements SpamPreferences {
  readonly #directory: string;
  readonly #sendersOf: () => ReadonlyMap<string, readonly string[]>;
  #written = "";

  constructor(directory: string, sendersOf: () => ReadonlyMap<string, readonly string[]>) {
    this.#directory = directory;
    this.#sendersOf = sendersOf;
  }

  refresh(): void {
    const texts = new Map([...this.#sendersOf()].map(([who, senders]) => [who, renderSpamPreferences(senders)]));
    const all = JSON.stringify([...texts]);
    if (all === this.#written) return;
    writeSpamPreferences(this.#directory, texts);
    this.#written = all;
  }
}

/** A spam filter that does not answer becomes a notice; allowed senders are written where the filter reads them. */
export class ContentWatch {
  readonly #filter: SpamFilterWatch | null;
  readonly #parts: ContentWatchParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: ContentWatchParts) {
    this.#parts = parts;
    const { layout, notices, clock, spam } = parts;
    const ping = () => pingSpamd(layout.spamHeadSocket, PING_MS);
    this.#filter = spam ? new SpamFilterWatch({ ping, notices, clock }) : null;
  }

  start(): void {
    this.#round();
    this.#timer = setInterval(() => this.#round(), SECOND_MS);
  }

  /** Accounts and aliases change in several ways; any of them causes a write. */
  #round(): void {
    void this.#filter?.look();
    const { preferences, authors, log } = this.#parts;
    for (const [lists, what] of [
      [preferences, "The lists of allowed senders"],
      [authors, "The lists of addresses that accounts may send as"],
    ] as const) {
      try {
        lists.refresh();
      } catch (error) {
        const why = messageOf(error);
        log.warn(`${what} could not be written; it is tried again.`, { why });
      }
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}
