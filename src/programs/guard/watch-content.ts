import { messageOf, reportOnce } from "../../core/error.ts";
import type { ContentLists } from "../../guard/admin-ports.ts";
import type { Log } from "../../guard/ports.ts";
import { renderSpamPreferences, writeSpamPreferences } from "../../mail/spamassassin/spam-preferences.ts";

type ContentListParts = Readonly<{ preferences: () => void; authors: () => void; log: Log }>;

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
export function createContentLists({ preferences, authors, log }: ContentListParts): ContentLists {
  const writers = (
    [
      [preferences, "The lists of allowed senders"],
      [authors, "The lists of addresses that accounts may send as"],
    ] as const
  ).map(([write, what]) => ({
    write,
    report: reportOnce((why) => log.warn(`${what} could not be written; retrying.`, { why })),
  }));

  return {
    refresh: () => {
      for (const { write, report } of writers) {
        try {
          write();
          report(null);
        } catch (error) {
          report(messageOf(error));
        }
      }
    },
  };
}
