import type { DatabaseSync } from "node:sqlite";
import { withoutExtension } from "../../core/net/address.ts";
import type { AliasReach, ForwardReach } from "../../guard/mailbox-ports.ts";
import type { AccountDirectory, AccountPasswords, Clock, RecipientDirectory } from "../../guard/ports.ts";
import { rowReader, text, textOrNull } from "../columns.ts";
import { NotedUses } from "./credentials.ts";

/** Looks accounts up in the same view as Dovecot does at sign-in. */
export function sqliteActiveAccounts(db: DatabaseSync): AccountDirectory & AccountPasswords {
  const find = db.prepare("SELECT password FROM passdb WHERE user = ?");
  return {
    isActive: (account) => find.get(account) !== undefined,
    storedHash: (account) => textOrNull(find.get(account)?.["password"] ?? null),
  };
}

/** How long a recipient that was found counts as existing. Postfix makes its own check and refuses one that was removed since. */
const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 1_024;

/** Looks recipients up where Postfix does: in the mailboxes and aliases of `accounts.db`. */
export function sqliteRecipients(db: DatabaseSync, clock: Clock): RecipientDirectory {
  const any = db.prepare(`
    SELECT EXISTS (SELECT 1 FROM mailbox WHERE address = ?1) OR EXISTS (SELECT 1 FROM alias_map WHERE address = ?1) AS found`);
  const has = (address: string): boolean => any.get(address)?.["found"] === 1;
  const known = new Set<string>();
  let knownSince = 0;
  return {
    exists: (address) => {
      const age = clock.now() - knownSince;
      if (age < 0 || age >= REMEMBERED_MS || known.size >= MOST_REMEMBERED) {
        known.clear();
        knownSince = clock.now();
      }
      if (known.has(address)) return true;
      const named = withoutExtension(address);
      if (!has(address) && (named === address || !has(named))) return false;
      known.add(address);
      return true;
    },
  };
}

/** An address of this server, and the accounts that may send as it, separated by commas. */
export type SenderLogin = Readonly<{ address: string; logins: string }>;

/** The view with which Postfix restricts the envelope senders of accounts. */
export function sqliteSenderLogins(accounts: DatabaseSync, uses = new NotedUses()) {
  const all = accounts.prepare(
    "SELECT address, group_concat(login, ',') AS logins FROM sender_login GROUP BY address ORDER BY address",
  );
  return {
    all: (): readonly SenderLogin[] => all.all().map(rowReader({ address: text, logins: text })),
    /** Grows with each row that the writer of this database changes, except for those that `uses` ignores. */
    changes: (): number => uses.changes(accounts),
  };
}

/** Where mail is sent on, and to how many addresses: an alias counts once for each mention, as in cleanup(8). */
export function sqliteAliasReach(db: DatabaseSync): AliasReach & ForwardReach {
  const targets = db.prepare("SELECT target FROM onward WHERE address = ?");
  const sources = db.prepare("SELECT address FROM onward WHERE target = ?");
  const named = db.prepare("SELECT address FROM administrator WHERE EXISTS (SELECT 1 FROM role_address)");
  const stepsFrom = (address: string): readonly string[] =>
    targets.all(address).map((row) => text(row["target"]).toLowerCase());
  const onward = (address: string): readonly string[] =>
    allFrom(address.toLowerCase(), (one) => [withoutExtension(one), ...stepsFrom(one)]);
  const countFrom = (address: string, counts: Map<string, number>): number => {
    const known = counts.get(address);
    if (known !== undefined) return known;
    // Ends the recursion for an address that leads back to itself, which no command creates.
    counts.set(address, 1);
    const steps = stepsFrom(address);
    const count = steps.length === 0 ? 1 : steps.reduce((sum, target) => sum + countFrom(target, counts), 0);
    counts.set(address, count);
    return count;
  };
  return {
    widest: (address) => {
      const counts = new Map<string, number>();
      // The address, and each that leads to it by aliases or forwards, directly or through others.
      const leading = allFrom(address, (one) => sources.all(one).map((row) => text(row["address"])));
      const reached = leading.map((alias) => ({ alias, addresses: countFrom(alias, counts) }));
      return reached.reduce((a, b) => (b.addresses > a.addresses ? b : a), { alias: address, addresses: 1 });
    },
    onward,
    administrator: () => withoutExtension(textOrNull(named.get()?.["address"] ?? null)?.toLowerCase() ?? ""),
    reachedBy: (account, recipient) => {
      const name = account.toLowerCase();
      // Skips the search for most accounts, which have no forward: an alias may have a thousand targets.
      if (stepsFrom(name).length === 0 || !onward(recipient).includes(name)) return [];
      // `onward` would add outside targets without their extension, which are other addresses.
      return allFrom(name, (one) => [one, withoutExtension(one)].flatMap(stepsFrom));
    },
  };
}

function allFrom(address: string, next: (address: string) => readonly string[]): readonly string[] {
  const found = new Set<string>([address]);
  for (const one of found) for (const further of next(one)) found.add(further);
  return [...found];
}
