import { failureOf, reportOnce } from "../../core/error.ts";
import type { ContentLists } from "../../guard/admin-ports.ts";
import type { Log } from "../../guard/ports.ts";
import { renderSpamPreferences, writeSpamPreferences } from "../../mail/spamassassin/spam-preferences.ts";

type AllowedSenders = Readonly<{ byRecipient(): ReadonlyMap<string, readonly string[]>; changes(): number }>;
type ContentListParts = Readonly<{ preferences: () => void; authors: () => void; log: Log }>;

/**
 * Returns what writes the files in which spamd finds the senders that a recipient allows; only when they change. The lists are read
 * after a change of theirs or, by `changes`, of accounts and aliases. Throws if they cannot be written.
 */
export function createSpamPreferenceFiles(directory: string, { byRecipient, changes }: AllowedSenders): () => void {
  let written = "";
  let seen = -1;
  return () => {
    const now = changes();
    if (now === seen) return;
    const texts = new Map([...byRecipient()].map(([who, senders]) => [who, renderSpamPreferences(senders)]));
    const all = JSON.stringify([...texts]);
    if (all !== written) writeSpamPreferences(directory, texts);
    written = all;
    seen = now;
  };
}

/** Writes the input of the content filters: allowed senders, and who may send as whom. */
export function createContentLists({ preferences, authors, log }: ContentListParts): ContentLists {
  const trying = (write: () => void, what: string) => {
    const report = reportOnce((why) => log.warn(`${what} could not be written; retrying.`, { why }));
    return () => report(failureOf(write));
  };
  const senders = trying(preferences, "The lists of allowed senders");
  const addresses = trying(authors, "The lists of addresses that accounts may send as");
  return {
    refresh: () => {
      senders();
      addresses();
    },
  };
}
