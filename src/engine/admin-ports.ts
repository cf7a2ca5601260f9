import type { SenderPattern } from "../core/events/sender-pattern.ts";
import type { AccountName, Address } from "../core/net/address.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { FileChanges } from "../wire/control/control.ts";
import type { AllowedSenderItem } from "../wire/control/items.ts";
import type { KeeperCommand, KeeperReply } from "../wire/control/keeper.ts";
import type { Outcome } from "./ports.ts";

/** What the administrator's commands need of the outside. Writers throw when their database takes nothing. */

export interface AccountStore {
  add(name: AccountName, passwordHash: string, at: Millis): Outcome;
  setPassword(name: AccountName, passwordHash: string): Outcome;
  setSuspended(name: AccountName, suspended: boolean): Outcome;
  remove(name: AccountName): Outcome;
}

export interface AliasStore {
  addAlias(address: Address, targets: readonly Address[], at: Millis): Outcome;
  removeAlias(address: Address): Outcome;
  /** Whether an account or an alias has this address. */
  isAddress(address: Address): boolean;
  /** Whether mail for `from` reaches `to`, if need be by way of aliases. */
  leadsTo(from: Address, to: Address): boolean;
  setAliasBlocked(address: Address, blocked: boolean): Outcome;
}

/** An account as a file names it, with its password's hash and scheme. */
export type NamedHash = Readonly<{ name: AccountName; hash: string }>;

/** Accounts that come from a file in the format of postfix-accounts.cf. */
export interface FileAccounts {
  /** Adds those that do not exist; touches none that does. */
  importAll(entries: readonly NamedHash[], at: Millis): FileChanges;
  /** Adds, changes and resumes as the file says; suspends `gone`. Touches no account that was made by command. */
  follow(entries: readonly NamedHash[], gone: readonly AccountName[], at: Millis): FileChanges;
  /** No file is followed any more: its accounts are like any other, those that it left out stay suspended. */
  endFollowing(): void;
}

/** From where accounts may sign in. Without networks: from anywhere. */
export interface AccountNetworks {
  /** Of whatever was typed as a login; none where no account is called so. */
  networksOf(login: string): readonly Prefix[];
  addNetworks(name: AccountName, networks: readonly Prefix[]): Outcome;
  removeNetworks(name: AccountName, networks: readonly Prefix[]): Outcome;
}

/** What the accounts' database must know of the settings. */
export interface ServedSettings {
  serve(
    settings: Readonly<{
      domains: readonly string[];
      administrator: Address | null;
      /** Local parts that are refused, be they those of the administrator. */
      refused: readonly string[];
      networks: readonly Prefix[];
    }>,
  ): void;
}

/** From whom accounts let mail in, whatever the spam filter thinks of it. */
export interface SpamAllowStore {
  allowSender(account: AccountName, sender: SenderPattern, by: string, at: Millis): Outcome;
  disallowSender(account: AccountName, sender: SenderPattern): Outcome;
  allowedSenders(): readonly AllowedSenderItem[];
}

/** What the spam filter reads of it. */
export interface SpamPreferences {
  /** Throws when it cannot be written. */
  refresh(): void;
}

/** What Rspamd reads of accounts and the allow list, to tell whose a mail's author is. */
export interface AuthorLists {
  /** Writes what has changed. Throws when it cannot be written. */
  refresh(): void;
}

export interface CredentialStore {
  createToken(name: string, digest: string, by: string, at: Millis): Outcome;
  revokeToken(name: string): Outcome;
  setAdminPassword(hash: string): void;
}

/** The root process that touches Postfix and Dovecot for us. */
export interface Keeper {
  ask(command: KeeperCommand): Promise<KeeperReply>;
}
