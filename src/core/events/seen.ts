import type { Facts } from "../decide/facts.ts";
import type { RestOf } from "./rest-schemas.ts";

/**
 * What a decision depended on that no event contains, as far as it was unusual; recorded for replays (rest-schemas.ts). Limits on sending
 * read `sentTo` too (store/engine-db/sending-history.ts).
 */
export type Seen = Readonly<NonNullable<RestOf<"CONNECT">["seen"]>>;
export type AskedBefore = Readonly<NonNullable<Seen["asked"]>>;
export type AdministratorSeen = Readonly<NonNullable<Seen["administrators"]>[number]>;
/** What the guard holds in memory only. */
export type Remembered = Pick<Seen, "sentTo" | "asked" | "administrators" | "restarted" | "pending">;

/** Undefined if everything was as usual. */
export function seenIn(facts: Facts, remembered: Remembered): Seen | undefined {
  const { sentTo, asked, administrators, restarted, pending } = remembered;
  const { protection, recipient, isWanted, accountNetworks } = facts;
  const isExpected = facts.bounce.isExpected || facts.isAnswer;
  const isStranger = facts.sending.recipient === "stranger";
  const seen = {
    protection: protection ?? undefined,
    recipient: recipient === "exists" ? undefined : recipient,
    firstContact: facts.isFirstContact || undefined,
    senderHere: facts.isSenderHere || undefined,
    accountInactive: !facts.isAccountActive || undefined,
    isWanted: isWanted || undefined,
    stranger: isStranger || undefined,
    bounceExpected: isExpected || undefined,
    accountNetworks: accountNetworks.length === 0 ? undefined : accountNetworks,
    sentTo,
    asked,
    administrators,
    restarted,
    pending,
  };
  return isEmpty(seen) ? undefined : seen;
}

/** A loop, because it runs at every event: `Object.values` takes four times as long. */
function isEmpty(all: Readonly<Record<string, unknown>>): boolean {
  for (const name in all) if (all[name] !== undefined) return false;
  return true;
}
