import { renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failureOf, reportOnce } from "../../core/error.ts";
import { domainOf } from "../../core/net/address.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { ContentLists } from "../../guard/admin-ports.ts";
import type { Log } from "../../guard/ports.ts";
import { renderSpamPreferences, writeSpamPreferences } from "../../mail/spamassassin/spam-preferences.ts";
import type { SenderLogin } from "../../store/accounts-db/mail-lookups.ts";

type ContentListParts = Readonly<{ preferences: () => void; authors: () => void; log: Log }>;

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

type AllowedSenders = Readonly<{ byRecipient(): ReadonlyMap<string, readonly string[]>; changes(): number }>;

/**
 * Returns a function that writes the files in which spamd finds the senders that a recipient allows, if they have changed. It reads the
 * lists only after `changes` shows a change of them, or of accounts and aliases. It throws if they cannot be written.
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

type AuthorFilesParts = Readonly<{
  logins: Readonly<{ all(): readonly SenderLogin[]; changes(): number }>;
  /** Mail domains of this server: a new array after each change. */
  domains: () => readonly string[];
  allowed: () => readonly Prefix[];
}>;

const SENDERS_ARE = "# ADDRESS ACCOUNT,ACCOUNT: who may send as whom. Written by the guard.";
const CLIENTS_ARE = "# The allow list. Written by the guard.";
/** The last line. Without it, a reader knows that the file is incomplete. */
const END = "# end";

/** `stat` of the last written file; null before the first write. */
type Written = Readonly<{ text: string; stat: string | null }>;

/**
 * Returns a function that writes the files that Rspamd uses to check a mail's author: `senders` (the view `sender_login`) and `clients`
 * (the allow list). With files, mail flows while the guard is down. They are never out of date, because only the guard writes accounts. It
 * also rewrites a file that another program emptied, changed or removed. It throws if they cannot be written.
 */
export function createAuthorFiles(directory: string, { logins, domains, allowed }: AuthorFilesParts): () => void {
  const written = new Map<string, Written>();
  let changes = -1;
  let served: readonly string[] = [];
  let senders = "";

  const keep = (name: string, text: string): void => {
    const file = join(directory, name);
    const before = written.get(name);
    if (before?.text === text && before.stat === statOf(file)) return;
    writeFileSync(`${file}.new`, text, { mode: 0o640, flush: true });
    renameSync(`${file}.new`, file);
    written.set(name, { text, stat: statOf(file) });
  };

  return () => {
    const now = { changes: logins.changes(), served: domains() };
    if (now.changes !== changes || now.served !== served) {
      const ours = logins.all().filter(({ address }) => now.served.includes(domainOf(address)));
      const lines = ours.map(({ address, logins: by }) => `${address} ${by}`);
      senders = textOf(SENDERS_ARE, lines);
      ({ changes, served } = now);
    }
    keep("senders", senders);
    keep("clients", textOf(CLIENTS_ARE, allowed()));
  };
}

function textOf(first: string, lines: readonly string[]): string {
  return `${[first, ...lines, END].join("\n")}\n`;
}

/** A value that differs after each change of the file; null if it is missing. */
function statOf(file: string): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ");
}
