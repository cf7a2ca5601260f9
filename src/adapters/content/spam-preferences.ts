import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FILE = "user_prefs";

/**
 * Makes the files below `directory` those of the given recipients and no others: `DOMAIN/LOCAL/user_prefs`. spamd reads
 * them with each mail; the group of the directory, which is spamd's, is handed down.
 */
export function writeSpamPreferences(directory: string, texts: ReadonlyMap<string, string>): void {
  const wanted = new Map([...texts].map(([recipient, text]) => [placeOf(directory, recipient), text]));
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

/** A recipient has passed the parser of addresses: neither part is empty, begins with a dot or holds a slash. */
function placeOf(directory: string, recipient: string): string {
  const at = recipient.lastIndexOf("@");
  return join(directory, recipient.slice(at + 1), recipient.slice(0, at), FILE);
}
