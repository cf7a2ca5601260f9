import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The preferences of one recipient (Mail::SpamAssassin::Conf(3)). `welcomelist_auth` applies only if SPF or DKIM proves
 * that the mail is the sender's; a forged sender gains nothing.
 */
export function renderSpamPreferences(senders: readonly string[]): string {
  return [
    "# Rendered by GhostInbox; `spam allow` changes it.",
    ...senders.map((sender) => `welcomelist_auth ${sender}`),
    "",
  ].join("\n");
}

const FILE = "user_prefs";

/**
 * Writes `DOMAIN/LOCAL/user_prefs` below `directory` for the given recipients, and removes all others. spamd reads them
 * for each mail; new files get the group of the directory, which is spamd's.
 */
export function writeSpamPreferences(directory: string, texts: ReadonlyMap<string, string>): void {
  // Recipients have passed the address parser: neither part is empty, starts with a dot or contains a slash.
  const placeOf = (recipient: string, at = recipient.lastIndexOf("@")): string =>
    join(directory, recipient.slice(at + 1), recipient.slice(0, at), FILE);
  const wanted = new Map([...texts].map(([recipient, text]) => [placeOf(recipient), text]));
  for (const [file, text] of wanted) {
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    writeFileSync(`${file}.new`, text, { mode: 0o640 });
    renameSync(`${file}.new`, file);
  }
  for (const domain of readdirSync(directory))
    for (const local of readdirSync(join(directory, domain)))
      if (!wanted.has(join(directory, domain, local, FILE)))
        rmSync(join(directory, domain, local), { recursive: true, force: true });
}
