import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AccountName, type Address, withoutExtension } from "../../core/net/address.ts";
import type { AliasReach, ForwardReach, Reached } from "../../guard/mailbox-ports.ts";
import type { AccountDirectory, AccountPasswords, Clock, RecipientDirectory } from "../../guard/ports.ts";
import { text } from "../columns.ts";
import { NotedUses } from "./credentials.ts";

/** Looks accounts up in the same view as Dovecot does at sign-in. */
export class SqliteActiveAccounts implements AccountDirectory, AccountPasswords {
  readonly #find: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare("SELECT password FROM passdb WHERE user = ?");
  }

  isActive(account: string): boolean {
    return this.#find.get(account) !== undefined;
  }

  storedHash(account: AccountName): string | null {
    const row = this.#find.get(account);
    return row === undefined ? null : text(row["password"]);
  }
}

/** Recipients that existed a second ago count as existing: Postfix makes its own check and refuses the others. */
const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 1_024;

/** Looks recipients up in the same place as Postfix: the mailboxes and aliases of `accounts.db`. */
export class SqliteRecipients implements RecipientDirectory {
  readonly #any: StatementSync;
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  #knownSince = 0;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#any = db.prepare(`
      SELECT EXISTS (SELECT 1 FROM mailbox WHERE address = ?1) OR EXISTS (SELECT 1 FROM alias_map WHERE address = ?1) AS found`);
  }

  exists(address: string): boolean {
    const age = this.#clock.now() - this.#knownSince;
    if (age < 0 || age >= REMEMBERED_MS || this.#known.size >= MOST_REMEMBERED) {
      this.#known.clear();
      this.#knownSince = this.#clock.now();
    }
    if (this.#known.has(address)) return true;
    if (!this.#has(address) && !this.#has(withoutExtension(address))) return false;
    this.#known.add(address);
    return true;
  }

  #has(address: string): boolean {
    return this.#any.get(address)?.["found"] === 1;
  }
}

/** An address of this server, and the accounts that may send as it, separated by commas. */
export type SenderLogin = Readonly<{ address: string; logins: string }>;

/** The view with which Postfix restricts the envelope senders of accounts. */
export class SqliteSenderLogins {
  readonly #all: StatementSync;
  readonly #accounts: DatabaseSync;
  readonly #uses: NotedUses;

  constructor(accounts: DatabaseSync, uses = new NotedUses()) {
    this.#accounts = accounts;
    this.#uses = uses;
    this.#all = accounts.prepare("SELECT address, logins FROM sender_login ORDER BY address");
  }

  all(): readonly SenderLogin[] {
    return this.#all.all().map((row) => ({ address: text(row["address"]), logins: text(row["logins"]) }));
  }

  /** Grows with each row that the writer of this database changes, except for notes of uses. */
  changes(): number {
    return this.#uses.changes(this.#accounts);
  }
}

/** Where mail is sent on, and to how many addresses: an alias counts once for each mention, as in cleanup(8). */
export class SqliteAliasReach implements AliasReach, ForwardReach {
  readonly #targets: StatementSync;
  readonly #sources: StatementSync;

  constructor(db: DatabaseSync) {
    this.#targets = db.prepare("SELECT target FROM onward WHERE address = ?");
    this.#sources = db.prepare("SELECT address FROM onward WHERE target = ?");
  }

  widest(address: Address): Reached {
    const counts = new Map<string, number>();
    const reached = this.#leadingTo(address).map((alias) => ({ alias, addresses: this.#count(alias, counts) }));
    return reached.reduce((a, b) => (b.addresses > a.addresses ? b : a), { alias: address, addresses: 1 });
  }

  onward(address: string): readonly string[] {
    return allFrom(address, (one) => [withoutExtension(one), ...this.#stepsFrom(one)]);
  }

  reachedBy(account: string, recipient: string): readonly string[] {
    const name = account.toLowerCase();
    // Few accounts have a forward, and an alias may have a thousand targets.
    if (this.#stepsFrom(name).length === 0 || !this.onward(recipient.toLowerCase()).includes(name)) return [];
    // `onward` would add outside targets without their extension, which are other addresses.
    return allFrom(name, (one) => [one, withoutExtension(one)].flatMap((each) => this.#stepsFrom(each)));
  }

  /** The address, and each that leads to it by aliases or forwards, directly or through others. */
  #leadingTo(address: Address): readonly string[] {
    return allFrom(address, (one) => this.#sources.all(one).map((row) => text(row["address"])));
  }

  #stepsFrom(address: string): readonly string[] {
    return this.#targets.all(address).map((row) => text(row["target"]).toLowerCase());
  }

  #count(address: string, counts: Map<string, number>): number {
    const known = counts.get(address);
    if (known !== undefined) return known;
    // An address that leads back to itself, which no command creates.
    counts.set(address, 1);
    const targets = this.#stepsFrom(address);
    const count = targets.length === 0 ? 1 : targets.reduce((sum, target) => sum + this.#count(target, counts), 0);
    counts.set(address, count);
    return count;
  }
}

function allFrom(address: string, next: (address: string) => readonly string[]): readonly string[] {
  const found = new Set<string>([address]);
  for (const one of found) for (const further of next(one)) found.add(further);
  return [...found];
}
