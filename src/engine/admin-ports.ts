import type { AccountName, Address } from "../core/address.ts";
import type { Millis } from "../core/time.ts";
import type { KeeperCommand, KeeperReply } from "../wire/control.ts";
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
  setAliasBlocked(address: Address, blocked: boolean): Outcome;
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
