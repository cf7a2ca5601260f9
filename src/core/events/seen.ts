import type { Verdict } from "../decide/decision.ts";
import type { Facts } from "../decide/facts.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import type { Protection } from "./reasons.ts";

/** When a sign-in was asked about before its password was verified: such a question leaves no event of its own. */
export type AskedBefore = Readonly<{
  at: Millis;
  /** The last event before it; 0: the guard had not recorded any since its start. */
  after: number;
  /** Counts such questions since the start of the guard: several may follow the same event. */
  nth: number;
}>;
/** An administrator's session or token was used from this address. */
export type AdministratorSeen = Readonly<{ ip: Ip; at: Millis }>;

/**
 * What a decision rested on that neither the event nor other events tell, where it is not as usual: the state of
 * accounts, aliases and allow lists at that moment. It is recorded, so that a replay need not guess.
 */
export type Seen = Readonly<{
  protection?: Protection | undefined;
  recipient?: "unknown" | "blocked" | undefined;
  firstContact?: true | undefined;
  senderHere?: true | undefined;
  accountInactive?: true | undefined;
  isWanted?: true | undefined;
  bounceExpected?: true | undefined;
  accountNetworks?: readonly Prefix[] | undefined;
  /** Of a sign-in that succeeded or failed. */
  asked?: AskedBefore | undefined;
  /** Administrators in the network of the client. */
  administrators?: readonly AdministratorSeen[] | undefined;
  /** What the verdict would have been, but for `simulate`. */
  simulated?: Verdict | undefined;
  /** The first event since the guard started: what it holds in memory only was empty. */
  restarted?: true | undefined;
}>;
/** What the guard holds in memory only. */
export type Remembered = Pick<Seen, "asked" | "administrators" | "restarted">;

/** Undefined: all was as usual. */
export function seenIn(facts: Facts, { asked, administrators, restarted }: Remembered): Seen | undefined {
  const { protection, recipient, firstContact, senderHere, accountActive, isWanted, bounce, accountNetworks } = facts;
  const isUsual =
    protection === null &&
    recipient === "known" &&
    !firstContact &&
    !senderHere &&
    accountActive &&
    !isWanted &&
    !bounce.isExpected &&
    accountNetworks.length === 0 &&
    asked === undefined &&
    administrators === undefined &&
    restarted === undefined;
  if (isUsual) return undefined;
  return {
    protection: protection ?? undefined,
    recipient: recipient === "known" ? undefined : recipient,
    firstContact: firstContact || undefined,
    senderHere: senderHere || undefined,
    accountInactive: !accountActive || undefined,
    isWanted: isWanted || undefined,
    bounceExpected: bounce.isExpected || undefined,
    accountNetworks: accountNetworks.length === 0 ? undefined : accountNetworks,
    asked,
    administrators,
    restarted,
  };
}
