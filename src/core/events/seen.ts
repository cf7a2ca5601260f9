import type { Facts } from "../decide/facts.ts";
import type { Prefix } from "../net/ip.ts";
import type { Protection } from "./reasons.ts";

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
}>;

/** Undefined: all was as usual. */
export function seenIn(facts: Facts): Seen | undefined {
  const { protection, recipient, firstContact, senderHere, accountActive, isWanted, bounce, accountNetworks } = facts;
  const isUsual =
    protection === null &&
    recipient === "known" &&
    !firstContact &&
    !senderHere &&
    accountActive &&
    !isWanted &&
    !bounce.isExpected &&
    accountNetworks.length === 0;
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
  };
}
