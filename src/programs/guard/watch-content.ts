import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { ContentLists } from "../../guard/admin-ports.ts";
import type { Log } from "../../guard/ports.ts";
import { renderSpamPreferences, writeSpamPreferences } from "../../mail/spamassassin/spam-preferences.ts";
import type { AuthorFiles } from "./author-files.ts";

type ContentWatchParts = Readonly<{
  preferences: Pick<SpamPreferenceFiles, "refresh">;
  authors: Pick<AuthorFiles, "refresh">;
  log: Log;
}>;

/** The files in which spamd finds the senders that a recipient allows; written only when they change. */
export class SpamPreferenceFiles {
  readonly #directory: string;
  readonly #sendersOf: () => ReadonlyMap<string, readonly string[]>;
  #written = "";

  constructor(directory: string, sendersOf: () => ReadonlyMap<string, readonly string[]>) {
    this.#directory = directory;
    this.#sendersOf = sendersOf;
  }

  /** Throws if they cannot be written. */
  refresh(): void {
    const texts = new Map([...this.#sendersOf()].map(([who, senders]) => [who, renderSpamPreferences(senders)]));
    const all = JSON.stringify([...texts]);
    if (all === this.#written) return;
    writeSpamPreferences(this.#directory, texts);
    this.#written = all;
  }
}

/** Writes the input of the content filters: allowed senders, and who may send as whom. */
export class ContentWatch implements ContentLists {
  readonly #parts: ContentWatchParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: ContentWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), SECOND_MS);
  }

  /** Accounts and aliases change in several ways; any of them causes a write. */
  refresh(): void {
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
