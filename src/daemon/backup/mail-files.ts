import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../../core/error.ts";

export const MAIL_DIRECTORIES: ReadonlySet<string> = new Set(["cur", "new"]);

/** Whether a file of this directory is a mail, whose content never changes (maildir(5)). */
export function holdsMails(directory: string): boolean {
  return MAIL_DIRECTORIES.has(basename(directory)) && isInMaildir(directory);
}

/** An account may be called `tmp` or `cur`: these names have their meaning only below a Maildir. */
export function isInMaildir(path: string): boolean {
  return dirname(path).split("/").slice(-3).includes("Maildir");
}

/** A mail in `mail/DOMAIN/LOCAL/…` of a directory that belongs to root; `path` starts below `mail`. */
export type MailFile = Readonly<{ account: string; path: string }>;

/** All mails below `top`, which need not exist. Does not follow links. */
export function* mailFiles(top: string, below = ""): Generator<MailFile> {
  const isMail = holdsMails(below);
  for (const entry of entriesOf(join(top, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) yield* mailFiles(top, path);
    else if (isMail && entry.isFile()) yield { account: accountOf(path), path };
  }
}

/** Number of mails for each account. */
export function mailsOfAccounts(files: Iterable<MailFile>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { account } of files) counts.set(account, (counts.get(account) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function accountOf(path: string): string {
  const [domain = "", local = ""] = path.split("/");
  return `${local}@${domain}`;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
