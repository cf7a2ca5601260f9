import type { Policy } from "../../core/decide/policy.ts";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { Seen } from "../../core/events/seen.ts";
import { addressLiteral } from "../../core/net/address.ts";
import { hostPrefix, overlaps, type Prefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import type { EventProcessorParts } from "../../guard/event-processor.ts";
import type { AllowEntry } from "../../guard/storage-ports.ts";
import type { ReplayHistory } from "./replay-history.ts";

const NOTHING: Seen = {};
/** Replaces the outside address to which an account sent mail through its own forward. */
const STRANGER = "stranger@invalid";

export type ReplayParts = Readonly<{
  policy: Policy;
  /**
   * `allow.networks` of the settings in force. An address that these allowed, and the other policy no longer does, need not be on the list
   * made by command.
   */
  allowNow: readonly Prefix[];
  history: ReplayHistory;
  /** The machine's own networks now. */
  own: readonly OwnNetwork[];
}>;

/** Repeats the outside facts of each recorded event: accounts, aliases, protection, the reputation of servers. */
export function recordedFacts({ history, policy, allowNow, own: ownNow }: ReplayParts) {
  const { bansInForce, honest, sending } = history;
  let seen: Seen = NOTHING;
  let own = ownNow;
  let allowed: readonly AllowEntry[] = [];

  const addOwn = (prefix: Prefix, why: OwnNetwork["why"]): void => {
    if (!own.some((network) => overlaps(network.prefix, prefix))) own = [...own, { prefix, why }];
  };

  /** Learns an allow-list entry from before the first event, or an address that the machine had. */
  function learnProtection(address: Prefix): void {
    switch (seen.protection) {
      case "loopback":
      case "own_address":
      case "gateway":
        return addOwn(address, seen.protection);
      case "allow_listed": {
        const listed = [...allowed, ...bansInForce.allowEntries()].map(({ prefix }) => prefix);
        if ([...policy.allow, ...allowNow, ...listed].some((network) => overlaps(network, address))) return;
        allowed = [...allowed, { prefix: address, note: "", by: "", at: instant(0), expiresAt: null }];
        return;
      }
      default:
        if (allowed.some(({ prefix }) => prefix === address))
          allowed = allowed.filter(({ prefix }) => prefix !== address);
        if (own.some(({ prefix }) => prefix === address)) own = own.filter(({ prefix }) => prefix !== address);
    }
  }

  return {
    /** Returns whether the protection of addresses changes from now on. */
    learn: (event: ClientEvent, recorded: Seen): boolean => {
      seen = recorded;
      const [ownBefore, allowedBefore] = [own, allowed];
      learnProtection(hostPrefix(event.ip));
      const literal = seen.senderHere === true && "sender" in event ? addressLiteral(event.sender) : null;
      if (literal !== null) addOwn(hostPrefix(literal), "own_address");
      return own !== ownBefore || allowed !== allowedBefore;
    },
    ports: {
      own: { current: () => own },
      recipients: { exists: () => seen.recipient === undefined },
      firstContacts: {
        isFirstContact: () => seen.firstContact === true,
        isExpected: () => seen.bounceExpected === true,
      },
      networks: { networksOf: () => seen.accountNetworks ?? [] },
      active: { isActive: () => seen.accountInactive !== true },
      forwardReach: { reachedBy: () => (seen.stranger === true ? [STRANGER] : []) },
      bansInForce: {
        ban: bansInForce.ban.bind(bansInForce),
        bansWithin: bansInForce.bansWithin.bind(bansInForce),
        allowEntries: () => [...bansInForce.allowEntries(), ...allowed],
      },
      sending: { ...sending, hasWritten: () => seen.stranger !== true },
      honest: {
        ...honest,
        server: (prefix, network, since) => {
          const server = honest.server(prefix, network, since);
          if (seen.isWanted !== true) return server;
          return { ...(server ?? { prefix, accepted: 0, proven: 0, wanted: 0, provenDays: 0 }), written: 1 };
        },
      },
    } satisfies Partial<EventProcessorParts>,
  };
}
