import type { Policy } from "../../core/decide/policy.ts";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { Seen } from "../../core/events/seen.ts";
import { addressLiteral } from "../../core/net/address.ts";
import { hostPrefix, overlaps, type Prefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import type { EventProcessorParts } from "../../guard/event-processor.ts";
import type { AllowEntry, BansInForce, HonestMail, SendingHistory } from "../../guard/storage-ports.ts";

const NOTHING: Seen = {};
/** Replaces the outside address to which an account sent mail through its own forward. */
const STRANGER = "stranger@invalid";

type Parts = Readonly<{
  bansInForce: BansInForce;
  honest: HonestMail;
  sending: SendingHistory;
  /** The machine's own networks now. */
  own: readonly OwnNetwork[];
  /**
   * Under the settings in force: an address that the other policy no longer allows is not on the list made by command
   * either.
   */
  allowNow: readonly Prefix[];
  policy: Policy;
}>;

/** The outside facts of each recorded event, repeated: accounts, aliases, protection, the good name of servers. */
export class RecordedFacts {
  readonly #parts: Parts;
  #seen: Seen = NOTHING;
  #own: readonly OwnNetwork[];
  #allowed: readonly AllowEntry[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#own = parts.own;
  }

  /** Returns whether the protection of addresses changes from now on. */
  tell(event: ClientEvent, seen: Seen): boolean {
    this.#seen = seen;
    const [own, allowed] = [this.#own, this.#allowed];
    this.#learnProtection(hostPrefix(event.ip), seen.protection);
    const literal = seen.senderHere === true && "sender" in event ? addressLiteral(event.sender) : null;
    if (literal !== null) this.#addOwn(hostPrefix(literal), "own_address");
    return own !== this.#own || allowed !== this.#allowed;
  }

  ports(): Pick<
    EventProcessorParts,
    | "own"
    | "recipients"
    | "firstContacts"
    | "networks"
    | "active"
    | "forwardReach"
    | "bansInForce"
    | "honest"
    | "sending"
  > {
    const { bansInForce, honest, sending } = this.#parts;
    return {
      own: { current: () => this.#own },
      recipients: { exists: () => this.#seen.recipient === undefined },
      firstContacts: {
        isFirstContact: () => this.#seen.firstContact === true,
        isExpected: () => this.#seen.bounceExpected === true,
      },
      networks: { networksOf: () => this.#seen.accountNetworks ?? [] },
      active: { isActive: () => this.#seen.accountInactive !== true },
      forwardReach: { reachedBy: () => (this.#seen.stranger === true ? [STRANGER] : []) },
      bansInForce: {
        ban: bansInForce.ban.bind(bansInForce),
        bansWithin: bansInForce.bansWithin.bind(bansInForce),
        allowed: () => [...bansInForce.allowed(), ...this.#allowed],
      },
      sending: {
        sentMails: sending.sentMails.bind(sending),
        hasWritten: () => this.#seen.stranger !== true,
        knowsPlace: sending.knowsPlace.bind(sending),
        holdOf: sending.holdOf.bind(sending),
        refusals: sending.refusals.bind(sending),
      },
      honest: {
        server: (prefix, network, since) => {
          const server = honest.server(prefix, network, since);
          if (this.#seen.isWanted !== true) return server;
          return { ...(server ?? { prefix, accepted: 0, proven: 0, wanted: 0, provenDays: 0 }), written: 1 };
        },
        servers: honest.servers.bind(honest),
        hasWrittenTo: honest.hasWrittenTo.bind(honest),
      },
    };
  }

  /** An entry of a list from before the first event, or an address that the machine had. */
  #learnProtection(address: Prefix, protection: Seen["protection"]): void {
    const { policy, allowNow, bansInForce } = this.#parts;
    const within = (networks: readonly Prefix[]): boolean => networks.some((network) => overlaps(network, address));
    switch (protection) {
      case "loopback":
      case "own_address":
      case "gateway":
        return this.#addOwn(address, protection);
      case "allow_listed": {
        const listed = [...this.#allowed, ...bansInForce.allowed()].map(({ prefix }) => prefix);
        if (within([...policy.allow, ...allowNow, ...listed])) return;
        const entry = { prefix: address, note: "", by: "", at: instant(0), expiresAt: null };
        this.#allowed = [...this.#allowed, entry];
        return;
      }
      default:
        if (this.#allowed.some(({ prefix }) => prefix === address))
          this.#allowed = this.#allowed.filter(({ prefix }) => prefix !== address);
        if (this.#own.some(({ prefix }) => prefix === address))
          this.#own = this.#own.filter(({ prefix }) => prefix !== address);
    }
  }

  #addOwn(prefix: Prefix, why: OwnNetwork["why"]): void {
    if (!this.#own.some((network) => overlaps(network.prefix, prefix))) this.#own = [...this.#own, { prefix, why }];
  }
}
