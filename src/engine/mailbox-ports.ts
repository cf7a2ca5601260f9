import type { SenderPattern } from "../core/events/sender-pattern.ts";
import type { AccountName, Address } from "../core/net/address.ts";
import type { Millis } from "../core/time.ts";
import type { Vacation } from "../core/vacation.ts";
import type { AppPasswordItem } from "../wire/control/access-items.ts";
import type { AllowedSenderItem } from "../wire/verbs/filters.ts";
import type { Outcome } from "./ports.ts";
import type { TimeSpan } from "./storage-ports.ts";

/** What an account has besides its password, and where mail goes on to. Writers throw when their database takes nothing. */

/** A password for a single mail program. `digest`: SHA-256 in hexadecimal. It is random, so no slow hash is needed. */
export type NewAppPassword = Readonly<{
  account: AccountName;
  name: string;
  digest: string;
  /** What Dovecot will tell of it. */
  proof: string;
  by: string;
  at: Millis;
}>;

export interface AppPasswordStore {
  addAppPassword(made: NewAppPassword): Outcome;
  removeAppPassword(account: AccountName, name: string): Outcome;
  /** The oldest first. */
  appPasswordsOf(account: string): readonly AppPasswordItem[];
  /** What Dovecot tells of those that were used or made last. */
  proofsOf(account: string): readonly string[];
  /** Notes that the account (as typed) signed in with it. A use that cannot be noted is no reason to refuse. */
  used(account: string, name: string, now: Millis): void;
}

/** Where an account sends its mail on. `keep`: a copy stays in its mailbox. */
export type Forwarding = Readonly<{ to: readonly string[]; keep: boolean }>;

/** Outside targets that are new, and when they no longer are. */
export type YoungTargets = Readonly<{ targets: readonly Address[]; until: Millis }>;

export interface ForwardStore {
  /**
   * In place of what was so before. To nobody: its mail stays in its mailbox. `young`: what leaves by these counts with what the account
   * sends (`YoungForwards`); null: by none of its targets, earlier ones too.
   */
  forward(account: AccountName, to: readonly Address[], keep: boolean, young: YoungTargets | null): Outcome;
  /** Null: its mail stays in its mailbox. */
  forwardingOf(account: string): Forwarding | null;
  /** Where mail of all accounts is sent on, one for each account that has it. */
  targets(): readonly string[];
  /**
   * Counts new targets of an account, as many as `most` leaves within the span, and returns whether all of them fit. Survives a
   * restart. Counts from outside the span are deleted.
   */
  spendTargets(account: AccountName, many: number, most: number, span: TimeSpan): boolean;
}

export interface VacationStore {
  /** In place of the one before. Null: no more replies. */
  setVacation(account: AccountName, vacation: Vacation | null): Outcome;
  /** Null: it sends none. */
  vacationOf(account: string): Vacation | null;
}

/** Of how many addresses mail for an alias becomes. */
export type Reached = Readonly<{ alias: string; addresses: number }>;

export interface AliasReach {
  /** Of this alias, and of all that lead to it, the one that reaches the most addresses. */
  widest(address: Address): Reached;
}

/** The senders whose mail an account accepts regardless of the spam score. */
export interface SpamAllowStore {
  allowSender(account: AccountName, sender: SenderPattern, by: string, at: Millis): Outcome;
  disallowSender(account: AccountName, sender: SenderPattern): Outcome;
  /** What the one or the other would come to. */
  wouldChange(verb: "allow" | "disallow", account: AccountName, sender: SenderPattern): Outcome;
  allowedSenders(): readonly AllowedSenderItem[];
}

/** The files with these senders that the spam filter reads. */
export interface SpamPreferences {
  /** Throws if the files cannot be written. */
  refresh(): void;
}
