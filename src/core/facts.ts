import type { Ban } from "./decision.ts";
import type { Ip, Prefix } from "./ip.ts";
import type { Protection } from "./reasons.ts";
import type { Millis } from "./time.ts";

/** A failed login that counted. */
export type Failure = Readonly<{ at: Millis; passwordHash: string }>;

/** What is known of the address an event is about, this event not included. Times ascend. */
export type Facts = Readonly<{
  /** The unit in which the address is counted and would be banned. */
  subject: Prefix;
  ip: Ip;
  protection: Protection | null;
  /** An account signed in from here within the memory. */
  known: boolean;
  ban: Ban | null;
  /** Offences within the memory. */
  offences: number;
  connections: readonly Millis[];
  mails: readonly Millis[];
  failures: readonly Failure[];
  /** Mails of the account that sends, when one is signed in. */
  accountMails: readonly Millis[];
}>;
