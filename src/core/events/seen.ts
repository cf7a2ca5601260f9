import type { Verdict } from "../decide/decision.ts";
import type { Facts, PendingPassword } from "../decide/facts.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import type { Protection } from "./reasons.ts";

/** When the guard was asked about a sign-in before its password was verified. Such a question leaves no event. */
export type AskedBefore = Readonly<{
  at: Millis;
  /** The last event before it; 0: the guard had recorded none since its start. */
  after: number;
  /** Numbers these questions since the start of the guard, because several may follow the same event. */
  nth: number;
}>;
/** An administrator's session or token was used from this address. */
export type AdministratorSeen = Readonly<{ ip: Ip; at: Millis }>;

/**
 * What a decision depended on that no event contains: the state of accounts, aliases and allow lists at that moment, as
 * far as it was unusual. It is recorded so that a replay need not guess.
 */
export type Seen = Readonly<{
  protection?: Protection | undefined;
  recipient?: "unknown" | "blocked" | undefined;
  firstContact?: true | undefined;
  senderHere?: true | undefined;
  accountInactive?: true | undefined;
  isWanted?: true | undefined;
  /** An account named a recipient in a different domain for the first time. */
  stranger?: true | undefined;
  /** Of a mail of an account: recipients to whom it had written before, and strangers. */
  sentTo?: Readonly<{ written: number; strangers: number }> | undefined;
  bounceExpected?: true | undefined;
  accountNetworks?: readonly Prefix[] | undefined;
  /** Passwords in verification when a sign-in was refused without a check. */
  pending?: readonly PendingPassword[] | undefined;
  /** Of a sign-in that succeeded or failed. */
  asked?: AskedBefore | undefined;
  /** Administrators in the network of the client. */
  administrators?: readonly AdministratorSeen[] | undefined;
  /** What the verdict would have been without `simulate`. */
  simulated?: Verdict | undefined;
  /** The first event since the guard started, when everything held in memory only was empty. */
  restarted?: true | undefined;
}>;
/** What the guard holds in memory only. */
export type Remembered = Pick<Seen, "sentTo" | "asked" | "administrators" | "restarted" | "pending">;

/** Undefined: all was as usual. */
export function seenIn(
  facts: Facts,
  { sentTo, asked, administrators, restarted, pending }: Remembered,
): Seen | undefined {
  const { protection, recipient, firstContact, senderHere, accountActive, isWanted, bounce, accountNetworks } = facts;
  const isStranger = facts.sending.recipient === "stranger";
  const isUsual =
    protection === null &&
    recipient === "known" &&
    !firstContact &&
    !senderHere &&
    accountActive &&
    !isWanted &&
    !isStranger &&
    !bounce.isExpected &&
    accountNetworks.length === 0 &&
    sentTo === undefined &&
    asked === undefined &&
    administrators === undefined &&
    restarted === undefined &&
    pending === undefined;
  if (isUsual) return undefined;
  return {
    protection: protection ?? undefined,
    recipient: recipient === "known" ? undefined : recipient,
    firstContact: firstContact || undefined,
    senderHere: senderHere || undefined,
    accountInactive: !accountActive || undefined,
    isWanted: isWanted || undefined,
    stranger: isStranger || undefined,
    bounceExpected: bounce.isExpected || undefined,
    accountNetworks: accountNetworks.length === 0 ? undefined : accountNetworks,
    sentTo,
    asked,
    administrators,
    restarted,
    pending,
  };
}
