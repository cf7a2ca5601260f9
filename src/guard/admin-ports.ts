import type { AccountRow, FileChanges } from "../admin/accounts.ts";
import type { AliasItem } from "../admin/aliases.ts";
import type { AccountKey } from "../admin/declare/account-key.ts";
import type { SessionItem } from "../admin/declare/items.ts";
import type { KeeperCommand, KeeperReply } from "../admin/declare/keeper.ts";
import type { CountedPage, PageRequest } from "../admin/declare/paging.ts";
import type { HeldAccountItem, HeldMailItem, SentMailItem } from "../admin/held.ts";
import type { Scope } from "../core/access/scopes.ts";
import type { AccountName, Address } from "../core/net/address.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { Failed, Outcome } from "./ports.ts";

/**
 * External needs of the administrator's commands; `src/store/accounts-db` implements most of them. Writers throw if their database cannot
 * be written.
 */

export interface AccountStore {
  /** `keys`: those that this password opens. Other keys of the account stay locked. */
  add(name: AccountName, hash: string, at: Millis, keys?: readonly AccountKey[]): Outcome;
  setPassword(name: AccountName, hash: string, keys?: readonly AccountKey[]): Outcome;
  setSuspended(name: AccountName, suspended: boolean): Outcome;
  remove(name: AccountName): Outcome;
  /** Null: the quota of the settings. 0: no limit. */
  setQuota(name: AccountName, quotaBytes: number | null): Outcome;
}

/** `text`: a part of the name or address; null: all. */
export type Searched = PageRequest & Readonly<{ text: string | null }>;

/** Reads accounts and aliases for commands. */
export interface AccountLists {
  /** Null if the account is missing. */
  account(name: AccountName): AccountRow | null;
  accounts(asked: Searched): CountedPage<AccountRow>;
  aliases(asked: Searched): CountedPage<AliasItem>;
  aliasesTo(account: AccountName, most: number): readonly AliasItem[];
  /** Addresses whose mail reaches the account: its own, and aliases that lead to it, directly or through others. */
  addressesOf(account: AccountName, most: number): readonly string[];
  /** Other accounts' forwards that end if this account or alias is removed. */
  forwardsEndedBy(address: string): readonly Readonly<{ account: string; target: string }>[];
  /** How many aliases lead to each of these accounts; accounts without any are absent. */
  aliasCounts(accounts: readonly string[]): ReadonlyMap<string, number>;
}

/** The stored form of a new password. `passwordHash`: the short hash that Dovecot sends to the guard. */
export type MadeSecret = Readonly<{ hash: string; passwordHash: string }>;
export interface SecretMaker {
  /** Hashes passwords one at a time, in the order of their arrival. */
  make(asked: readonly Readonly<{ owner: AccountName; password: string }>[]): Promise<readonly MadeSecret[]>;
  /** The short hash of a typed password. */
  passwordHashOf(owner: AccountName, password: string): string;
}

export interface MailKeyStore {
  /** Lets the account's present password open these keys, if `hash` is still its stored one. */
  openKeys(name: AccountName, hash: string, keys: readonly AccountKey[]): Outcome;
  /** Whether some of the account's mail is encrypted with its own keys, which only its present password opens. */
  hasKeys(name: AccountName): boolean;
}

export interface AliasStore {
  /** Returns the alias, including its earlier targets. */
  addAlias(address: Address, targets: readonly Address[]): Readonly<{ ok: true; alias: AliasItem }> | Failed;
  removeAlias(address: Address): Outcome;
  /** Whether an account or an alias has this address. */
  isAddress(address: Address): boolean;
  setAliasBlocked(address: Address, blocked: boolean): Outcome;
  /** Addresses that only this account may send as: at most `most`. */
  sendersOf(account: AccountName, most: number): readonly string[];
}

/** An account as a file names it, with its password's hash and scheme. Without `quotaBytes`: the quota of the settings. */
export type NamedHash = Readonly<{ name: AccountName; hash: string; quotaBytes?: number | undefined }>;

/** Accounts from a file in the format of postfix-accounts.cf. */
export interface FileAccounts {
  /** Adds accounts that do not exist yet. Does not change existing accounts. */
  importAll(entries: readonly NamedHash[], at: Millis): FileChanges;
  /**
   * Adds, changes and resumes accounts as the file says, and suspends `gone`. Does not change accounts created
   * by command.
   */
  follow(entries: readonly NamedHash[], gone: readonly AccountName[], at: Millis): FileChanges;
  /** Stops following a file. Its accounts become ordinary ones; suspended ones stay suspended until a followed file names them again. */
  endFollowing(): void;
}

/** The networks from which accounts may sign in. Accounts without any may sign in from anywhere that `logins.networks` allows. */
export interface AccountNetworks {
  /** For a login name as typed. Empty for a missing account. */
  networksOf(login: string): readonly Prefix[];
  addNetworks(name: AccountName, networks: readonly Prefix[]): Outcome;
  removeNetworks(name: AccountName, networks: readonly Prefix[]): Outcome;
}

/** The settings that the accounts' database needs. */
export interface ServedSettings {
  serve(
    settings: Readonly<{
      domains: readonly string[];
      administrator: Address | null;
      /** Local parts that are always refused, even for the administrator's own addresses. */
      refused: readonly string[];
      networks: readonly Prefix[];
    }>,
  ): void;
}

/** The files for the content filters: the senders that accounts allow, and which author belongs to which account. */
export interface ContentLists {
  /** Writes the changes. A file that cannot be written is logged and retried. */
  refresh(): void;
}

/** `digest`: SHA-256 in hexadecimal. A token is random, so no slow hash is needed. `expiresAt` null: it does not expire. */
export type NewToken = Readonly<{
  name: string;
  digest: string;
  scopes: readonly Scope[];
  by: string;
  at: Millis;
  expiresAt: Millis | null;
}>;
export type FoundToken = Readonly<{ name: string; scopes: readonly Scope[] }>;

export interface CredentialStore {
  createToken(token: NewToken): Outcome;
  revokeToken(name: string): Outcome;
  /** The token with this digest, whose use is noted; null if it does not exist or has expired. */
  useToken(digest: string): FoundToken | null;
  /** Ends every session of the administrator. */
  setAdminPassword(hash: string): void;
  adminPasswordHash(): string | null;
}

/** A valid session. `id`: names it to people, and gives no access. */
export type FoundSession = Readonly<{ id: string; account: string | null; provedAt: Millis }>;
/** `account`: the mailbox whose user signs in; null: the administrator. */
export type NewSession = Readonly<{
  digest: string;
  id: string;
  account: AccountName | null;
  device: string;
  ip: Ip;
  at: Millis;
}>;
/** One session by its id, those of an account (null: the administrator's) except `except`, those of all mailboxes, or all. */
export type WhichSessions =
  | Readonly<{ id: string }>
  | Readonly<{ of: string | null; except: string | null }>
  | "mailboxes"
  | "everybody";

/** The sessions of the dashboard. They survive restarts. */
export interface SessionStore {
  /** Opens a session, with a proof. If the account has too many, the least recently used one ends. If opening fails, none ends. */
  open(session: NewSession): void;
  /** Null if it does not exist or has ended. `isUse`: the session is used, which prolongs it. */
  find(digest: string, now: Millis, isUse: boolean): FoundSession | null;
  prove(digest: string, at: Millis): void;
  /** Valid sessions of an account, or of the administrator, most recently used first. */
  list(account: string | null, now: Millis): readonly SessionItem[];
  /** Returns how many ended. */
  end(which: WhichSessions): number;
}

/** The secret of the administrator's authenticator app, and the latest time step whose code was used. */
export type StoredTotp = Readonly<{ secret: Uint8Array; lastStep: number }>;
export type NewTotp = StoredTotp & Readonly<{ at: Millis; recovery: readonly string[] }>;

/** The second factors of the administrator. Digests are SHA-256 in hexadecimal. */
export interface FactorStore {
  totp(): StoredTotp | null;
  /** Replaces the earlier app and its recovery codes. `recovery`: digests of the new codes. */
  setTotp(totp: NewTotp): void;
  /** Returns false if the code of this step or of a later one was used. */
  useStep(step: number, before: number): boolean;
  /** Removes the app with its recovery codes. Returns false if there is none. */
  removeTotp(): boolean;
  /** Removes every second factor and ends every session. Returns the number of factors and sessions. */
  reset(): Readonly<{ factors: number; ended: number }>;
}

export interface RecoveryStore {
  recoveryLeft(): number;
  /** Uses up a code. Returns false if no unused code matches. */
  useRecovery(digest: string, at: Millis): boolean;
  /** Replaces all earlier codes. */
  renewRecovery(digests: readonly string[], at: Millis): void;
}

/** `id`: the credential's, base64url. `publicKey`: SPKI in DER. `counter`: of the last signature; 0: the key does not count. */
export type Passkey = Readonly<{
  id: string;
  publicKey: Buffer;
  /** Its COSE number. */
  algorithm: number;
  counter: number;
  name: string;
  createdAt: Millis;
  usedAt: Millis | null;
}>;
export type NewPasskey = Omit<Passkey, "createdAt" | "usedAt"> & Readonly<{ at: Millis }>;

/** The passkeys with which the administrator signs in. */
export interface PasskeyStore {
  /** Oldest first. */
  list(): readonly Passkey[];
  add(passkey: NewPasskey): Outcome;
  /** Returns false if there is none. */
  remove(id: string): boolean;
  used(id: string, counter: number, at: Millis): void;
  /** The id under which authenticators store passkeys of this server: random, created at the first use. base64url. */
  userHandle(at: Millis): string;
}

/** Stands for the account of a mail put on hold by hand. No account has this name, because account names contain an @. */
export const HELD_BY_HAND = "root";

/** How many mails of an account are on hold, and since when the first one has been. */
export type HeldCount = Readonly<{ account: string; mails: number; since: string }>;

/** Held accounts, their mail and what they sent. Newest first. */
export interface HeldMail {
  accounts(): readonly HeldAccountItem[];
  /** Mails on hold, of one account or of all, except those held by hand. */
  held(account: AccountName | null): readonly HeldMailItem[];
  /** Counts for each account with mail on hold, without mail held by hand. */
  counts(): readonly HeldCount[];
  /** The next queue ids after `after`, for mails held before `before`. */
  noted(after: string, before: Millis, most: number): readonly string[];
  /** The account for which a mail was put on hold, or `HELD_BY_HAND`; null if no hold was noted. */
  holderOf(queueId: string): string | null;
  /** Mails that were passed to delivery. */
  sent(account: AccountName, since: Millis): readonly SentMailItem[];
}

/** The root process that controls Postfix and Dovecot for the guard. */
export interface Keeper {
  ask(command: KeeperCommand): Promise<KeeperReply>;
}
