import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { printable } from "../../../core/text.ts";
import { isoTime } from "../../../core/time.ts";
import type { Vacation } from "../../../core/vacation.ts";
import type { Forwarding } from "../../../engine/mailbox-ports.ts";
import { text } from "../columns.ts";
import { openAccounts, openAccountsForReading } from "../open.ts";
import { AccountLists } from "./accounts.ts";
import { readAppPasswords } from "./app-passwords.ts";
import { readForwarding } from "./forwards.ts";
import { readVacation } from "./vacations.ts";

/** Characters of a reply that are told. */
const MOST_OF_REPLY = 200;
const ALL = { limit: 1_000_000, cursor: null } as const;

/**
 * The same of a copy that is nobody else's, such as one from a backup: it is brought up to date first, in its place, so that a
 * backup from before an upgrade can be compared.
 */
export function readCopiedAccounts(path: string) {
  // One that is missing would be created.
  if (existsSync(path)) openAccounts(path, { ifDamaged: "close" }).close();
  return readKeptAccounts(path);
}

/**
 * Everything that an `accounts.db` holds, for comparing two of them. Passwords are told apart by a digest of their hash. Throws
 * if the file cannot be read.
 */
export function readKeptAccounts(path: string) {
  const db = openAccountsForReading(path);
  try {
    const lists = new AccountLists(db);
    const marks = new Map(
      db
        .prepare("SELECT name, password FROM account")
        .all()
        .map((row) => [text(row["name"]), digestOf(text(row["password"]))]),
    );
    const accounts = lists.accounts(ALL).items.map(({ name, suspended, networks, quotaBytes }) => ({
      name,
      suspended,
      networks: networks.toSorted(),
      quotaBytes,
      password: marks.get(name) ?? "",
      appPasswords: readAppPasswords(db, name).map((one) => `${one.name} (made ${one.madeAt})`),
      forwards: allTargets(readForwarding(db, name), name),
      reply: inOneLine(readVacation(db, name)),
    }));
    return { accounts, aliases: lists.aliases(ALL).items };
  } finally {
    db.close();
  }
}

/** With a fingerprint, which tells two apart whose first words are the same. */
function inOneLine(vacation: Vacation | null): string {
  if (vacation === null) return "";
  const { subject, text: reply, until } = vacation;
  const end = until === null ? "until it is ended" : `until ${isoTime(until)}`;
  return `${printable(`${subject} ${reply}`.trim(), MOST_OF_REPLY)} (${end}; fingerprint ${digestOf(JSON.stringify([subject, reply]))})`;
}

function digestOf(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

function allTargets(forwarding: Forwarding | null, account: string): readonly string[] {
  if (forwarding === null) return [];
  return forwarding.keep ? [account, ...forwarding.to] : forwarding.to;
}
