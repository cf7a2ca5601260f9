import type { SenderPattern } from "../core/events/sender-pattern.ts";
import type { AccountName, Address } from "../core/net/address.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { FileChanges } from "../wire/control/control.ts";
import type { AllowedSenderItem, HeldAccountItem, HeldMailItem, SentMailItem } from "../wire/control/items.ts";
import type { KeeperCommand, KeeperReply } from "../wire/control/keeper.ts";
import type { Outcome } from "./ports.ts";

/** What the administrator's commands need of the outside. Writers throw when their database takes nothing. */

export interface AccountStore {
  add(name: AccountName, passwordHash: string, at: Millis): Outcome;
  setPassword(name: AccountName, passwordHash: string): Outcome;
  setSuspended(name: AccountName, suspended: boolean): Outcome;
  remove(name: AccountName): Outcome;
  /** Null: the quota of the settings. 0: no limit. */
  setQuota(name: AccountName, quotaBytes: number | null): Outcome;
}

export interface AliasStore {
  addAlias(address: Address, targets: readonly Address[], at: Millis): Outcome;
  removeAlias(address: Address): Outcome;
  /** Whether an account or an alias has this address. */
  isAddress(address: Address): boolean;
  /** Whether mail for `from` reaches `to`, directly or through aliases. */
  leadsTo(from: Address, to: Address): boolean;
  setAliasBlocked(address: Address, blocked: boolean): Outcome;
  /** As which this account may send and no other: at most `most`. */
  sendersOf(account: AccountName, most: number): readonly string[];
}

/** An account as a file names it, with its password's hash and scheme. Without `quotaBytes`: the quota of the settings. */
export type NamedHash = Readonly<{ name: AccountName; hash: string; quotaBytes?: number | undefined }>;

/** Accounts that come from a file in the format of postfix-accounts.cf. */
export interface FileAccounts {
  /** Adds accounts that do not exist yet. Existing accounts stay as they are. */
  importAll(entries: readonly NamedHash[], at: Millis): FileChanges;
  /**
   * Adds, changes and resumes accounts as the file says, and suspends `gone`. Accounts made by command stay as they
   * are.
   */
  follow(entries: readonly NamedHash[], gone: readonly AccountName[], at: Millis): FileChanges;
  /** Stops following a file. Its accounts become ordinary accounts; suspended ones stay suspended. */
  endFollowing(): void;
}

/** The networks from which accounts may sign in. An account without networks may sign in from anywhere. */
export interface AccountNetworks {
  /** For a login name as typed. Empty if there is no such account. */
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

/** The senders whose mail an account accepts regardless of the spam score. */
export interface SpamAllowStore {
  allowSender(account: AccountName, sender: SenderPattern, by: string, at: Millis): Outcome;
  disallowSender(account: AccountName, sender: SenderPattern): Outcome;
  allowedSenders(): readonly AllowedSenderItem[];
}

/** The files with these senders that the spam filter reads. */
export interface SpamPreferences {
  /** Throws if the files cannot be written. */
  refresh(): void;
}

/** The files with accounts and the allow list from which Rspamd tells which author belongs to which account. */
export interface AuthorLists {
  /** Writes what has changed. Throws if the files cannot be written. */
  refresh(): void;
}

export interface CredentialStore {
  createToken(name: string, digest: string, by: string, at: Millis): Outcome;
  revokeToken(name: string): Outcome;
  setAdminPassword(hash: string): void;
}

/** Stands for the account of a mail that root put on hold: names of accounts contain an @. */
export const HELD_BY_HAND = "root";

/** Held accounts, their mail and what they sent. Lists begin with the newest. */
export interface HeldMail {
  accounts(): readonly HeldAccountItem[];
  /** Mails on hold, of one account or of all; without those that are held by hand. */
  held(account: AccountName | null): readonly HeldMailItem[];
  /** The next queue ids after `after`, of mails that were held before `before`. */
  noted(after: string, before: Millis, most: number): readonly string[];
  /** The account for which a mail was put on hold, or `HELD_BY_HAND`; null if no hold of it was noted. */
  holderOf(queueId: string): string | null;
  /** Mails that went on to delivery. */
  sent(account: AccountName, since: Millis): readonly SentMailItem[];
}

/** The root process that controls Postfix and Dovecot for the guard. */
export interface Keeper {
  ask(command: KeeperCommand): Promise<KeeperReply>;
}
