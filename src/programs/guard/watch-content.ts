import { messageOf, reportOnce } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Log } from "../../guard/ports.ts";
import { renderSpamPreferences, writeSpamPreferences } from "../../mail/spamassassin/spam-preferences.ts";

type ContentWatchParts = Readonly<{ preferences: () => void; authors: () => void; log: Log }>;

/**
 * Returns what writes the files in which spamd finds the senders that a recipient allows; only when they change. Throws if they cannot
 * be written.
 */
export function createSpamPreferenceFiles(
  directory: string,
  sendersOf: () => ReadonlyMap<string, readonly string[]>,
): () => void {
  let written = "";
  return () => {
    const texts = new Map([...sendersOf()].map(([who, senders]) => [who, renderSpamPreferences(senders)]));
    const all = JSON.stringify([...texts]);
    if (all === written) return;
    writeSpamPreferences(directory, texts);
    written = all;
  };
}

/** Writes the input of the content filters: allowed senders, and who may send as whom. */
export function createContentWatch({ preferences, authors, log }: ContentWatchParts) {
  let timer: NodeJS.Timeout | undefined;
  const writers = (
    [
      [preferences, "The lists of allowed senders"],
      [authors, "The lists of addresses that accounts may send as"],
    ] as const
  ).map(([write, what]) => ({
    write,
    report: reportOnce((why) => log.warn(`${what} could not be written; retrying.`, { why })),
  }));

  function start(): void {
    refresh();
    timer = setInterval(refresh, SECOND_MS);
  }

  /** Accounts and aliases change in several ways; any of them causes a write. */
  function refresh(): void {
    for (const { write, report } of writers) {
      try {
        write();
        report(null);
      } catch (error) {
        report(messageOf(error));
      }
    }
  }

  return { start, refresh, stop: () => clearInterval(timer) };
}
