import type { AppPasswordItem } from "../admin/declare/items.ts";
import type { AllowedSenderItem } from "../admin/filters.ts";
import type { SentMail } from "../core/decide/facts.ts";
import type { AccountName, Address, SenderPattern } from "../core/net/address.ts";
import type { Millis } from "../core/time.ts";
import type { Outcome } from "./ports.ts";
import type { TimeSpan } from "./storage-ports.ts";

/** What an account has in addition to its password, and where its mail is forwarded. Writers throw if their database cannot be written. */

/** A password for a single mail program. `digest`: SHA-256 in hexadecimal. It is random, so no slow hash is needed. */
export type NewAppPassword = Readonly<{
  account: AccountName;
  name: string;
  digest: string;
  /** The short hash by which Dovecot reports its use. */
  passwordHash: string;
  by: string;
  at: Millis;
}>;

export interface AppPasswordStore {
  addAppPassword(made: NewAppPassword): Outcome;
  removeAppPassword(account: AccountName, name: string): Outcome;
  /** Oldest first. */
  appPasswordsOf(account: string): readonly AppPasswordItem[];
  /** The short hashes of those that were used or created last. */
  passwordHashesOf(account: string): readonly string[];
  /** Notes that the account (as typed) signed in with it, for `loginServer` in compose-sources.ts. A sign-in succeeds without this note. */
  used(account: string, name: string, now: Millis): void;
}

export interface ForwardTargets {
  /** The targets of one account's forward; none if its mail stays in its mailbox. */
  targetsOf(account: string): readonly string[];
  /** The targets of all accounts' forwards. A target of two accounts is listed twice. */
  targets(): readonly string[];
  /**
   * Counts new targets of an account, or of all aliases, up to `most` within the span, and returns whether all of them fit. Survives a
   * restart. Deletes counts outside the span.
   */
  spendTargets(of: AccountName | "aliases", added: number, most: number, span: TimeSpan): boolean;
}

/**
 * Forwards to outside targets that someone other than root added. enforce/counted-forwards.ts counts their mail and pauses them.
 * Throws if the database cannot be read or written.
 */
export interface CountedForwards {
  /** Each path by which mail for this recipient leaves through such a forward, except paused ones. `isNew`: set within a day. */
  reached(recipient: string, now: Millis): readonly Readonly<{ account: string; target: string; isNew: boolean }>[];
  /** Mails that left through such forwards of the account, in ascending order. */
  sent(account: string, span: TimeSpan): readonly SentMail[];
  count(account: string, mail: SentMail): void;
  /** Until `until`, mail that would leave through such a forward, or through a new one, stays in the account's mailbox. */
  pause(account: string, how: Readonly<{ now: Millis; until: Millis; which: "new" | "all" }>): void;
}

/** Where mail that an account sends to its own address ends up. Throws if the database cannot be read. */
export interface ForwardReach {
  /** Every address that mail for this recipient reaches through the account's forward; none if it does not reach the account. */
  reachedBy(account: string, recipient: string): readonly string[];
}

/** The number of addresses reached by mail for an alias, or for an account that forwards. */
export type Reached = Readonly<{ alias: string; addresses: number }>;

export interface AliasReach {
  /** The alias or account that reaches the most addresses, among this address and all that lead to it by aliases or forwards. */
  widest(address: Address): Reached;
  /** The address, and every address to which its mail is forwarded, in lower case. */
  onward(address: string): readonly string[];
  /**
   * The address in accounts.administrator without its extension, in lower case. While it does not exist, another one gets the mail for
   * postmaster@ and abuse@. Empty if it is not set, or if both have their own accounts or aliases.
   */
  administrator(): string;
}

/** The senders whose mail an account accepts regardless of the spam score. */
export interface SpamAllowStore {
  allowSender(account: AccountName, sender: SenderPattern, by: string, at: Millis): Outcome;
  disallowSender(account: AccountName, sender: SenderPattern): Outcome;
  /** Returns what the command would return, without a change. */
  wouldChange(verb: "allow" | "disallow", account: AccountName, sender: SenderPattern): Outcome;
  allowedSenders(): readonly AllowedSenderItem[];
}
