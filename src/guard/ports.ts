import type { Notice } from "../admin/declare/items.ts";
import type { NoticeCode } from "../core/alerts/notices.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Event } from "../core/events/event.ts";
import type { Recipient } from "../core/events/mail.ts";
import type { AccountName } from "../core/net/address.ts";
import type { Millis } from "../core/time.ts";

/**
 * The engine's external needs. Each port is named for the need, and adapters implement it. Here: clock, log,
 * accounts, notices. Others: `storage-ports.ts`, `network-ports.ts`, `mailbox-ports.ts` for what is set for accounts and where their
 * mail is forwarded, and `admin-ports.ts` for the administrator's commands. A port of a single command is beside that command.
 */

export interface Clock {
  now(): Millis;
  /** Not null while `now` does not follow a change of the machine's clock yet. */
  jump?(): object | null;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
/** For readers of the service log: one sentence and its values. Never throws. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Knows the accounts and aliases of this server. Throws if their database cannot be read. */
export interface RecipientDirectory {
  /** Ignores case. An extension (`alice+shop@`) belongs to its account. */
  exists(address: string): boolean;
}

/** A first contact is a mail with nothing in its favour, even if its sender wrote before: only Postgrey remembers that. */
export interface FirstContacts {
  isFirstContact(event: Recipient): boolean;
  /** Whether the recipient wrote to the sender's domain, if that is proven, or for a bounce to that of the client's confirmed host name. */
  isExpected(event: Recipient): boolean;
}

/** The accounts that may sign in. */
export interface AccountDirectory {
  isActive(account: string): boolean;
}

/** The passwords with which accounts sign in. */
export interface AccountPasswords {
  /** The hash with its scheme, as Dovecot reads it. Null: no account with this name may sign in. */
  storedHash(account: AccountName): string | null;
}

export type Failed = Readonly<{ ok: false; reason: string }>;
export type Outcome = Readonly<{ ok: true }> | Failed;

/** Conditions that the owner must know about now. */
export interface Notices {
  /**
   * Raises the notice once, however often its cause recurs, and updates its detail; null clears it. `about`: subjects that each have a
   * separate alert, so that a later fault is reported while an earlier one lasts.
   */
  set(code: NoticeCode, detail: string | null, about?: readonly string[]): void;
  list(): readonly Notice[];
}

/**
 * How a server submits an event. `answer` is called once, possibly before this returns (docs/adr/0012). Postfix's questions pass
 * `lookups/submit-after-lookups.ts` (DNS) before the engine; `enforce/counted-forwards.ts` sees each decision before Postfix gets it.
 * `mail/postfix/filter-load.ts` comes before both at the end of a mail.
 */
export type Submit = (event: Event, answer: (decision: Decision) => void) => void;
