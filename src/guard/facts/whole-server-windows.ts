import type { Decision } from "../../core/decide/decision.ts";
import type { Facts } from "../../core/decide/facts.ts";
import { isBounce, type MailAttributes, type Recipient } from "../../core/events/mail.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { HOUR_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";

/**
 * Remembers exactly when different items of networks occurred within a window. Each item counts once, at its first time. Past
 * `most`, the oldest is forgotten.
 */
export class DistinctTimes {
  readonly #windowMs: number;
  readonly #most: number;
  /** Networks by item, in the order in which the items came. */
  readonly #items = new Map<string, string>();
  /** Ascending. Holds only times, so that they are not copied for each event of a flood. */
  readonly #times: Millis[] = [];
  readonly #timesOf = new Map<string, Millis[]>();

  constructor(windowMs: number, most: number) {
    this.#windowMs = windowMs;
    this.#most = most;
  }

  add(network: string, item: string, now: Millis): void {
    if (this.has(network, item, now)) return;
    if (this.#items.size >= this.#most) this.#dropOldest();
    this.#items.set(`${network} ${item}`, network);
    this.#times.push(now);
    this.#timesOf.getOrInsertComputed(network, () => []).push(now);
  }

  has(network: string, item: string, now: Millis): boolean {
    this.#prune(now);
    return this.#items.has(`${network} ${item}`);
  }

  /** Ascending; valid until the next event. */
  times(now: Millis): readonly Millis[] {
    this.#prune(now);
    return this.#times;
  }

  /** The times of one network, likewise. */
  timesOf(network: string, now: Millis): readonly Millis[] {
    this.#prune(now);
    return this.#timesOf.get(network) ?? [];
  }

  #prune(now: Millis): void {
    for (let at = this.#times[0]; at !== undefined && at <= now - this.#windowMs; at = this.#times[0])
      this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#items;
    this.#times.shift();
    if (oldest === undefined) return;
    const [key, network] = oldest;
    this.#items.delete(key);
    const own = this.#timesOf.get(network);
    own?.shift();
    if (own?.length === 0) this.#timesOf.delete(network);
  }
}

/**
 * Maximum items of one network that count for clients in other networks. A single IPv6 site has 65,536 prefixes, and must
 * not make all other strangers wait.
 */
const COUNTED_OF_NETWORK = { names: 10, clients: 5 } as const;

/** Different items of networks within an hour. A client is judged by all items of its own network and the first few of each other network. */
class NetworkTimes {
  readonly #most: number;
  readonly #counted = new DistinctTimes(HOUR_MS, LIMITS.serverWindow);
  readonly #further = new DistinctTimes(HOUR_MS, LIMITS.serverWindow);

  constructor(most: number) {
    this.#most = most;
  }

  add(network: Prefix, item: string, now: Millis): void {
    if (this.has(network, item, now)) return;
    const isCounted = this.#counted.timesOf(network, now).length < this.#most;
    (isCounted ? this.#counted : this.#further).add(network, item, now);
  }

  has(network: Prefix, item: string, now: Millis): boolean {
    return this.#counted.has(network, item, now) || this.#further.has(network, item, now);
  }

  /** Ascending; valid until the next event. */
  times(network: Prefix, now: Millis): readonly Millis[] {
    const further = this.#further.timesOf(network, now);
    const times = this.#counted.times(now);
    return further.length === 0 ? times : merged(times, further);
  }

  ofNetwork(network: Prefix, now: Millis): number {
    return this.#counted.timesOf(network, now).length + this.#further.timesOf(network, now).length;
  }
}

/** Both are ascending, as is the result. */
function merged(some: readonly Millis[], others: readonly Millis[]): readonly Millis[] {
  const all: Millis[] = [];
  let next = 0;
  for (const at of some) {
    for (let other = others[next]; other !== undefined && other <= at; other = others[next]) {
      all.push(other);
      next += 1;
    }
    all.push(at);
  }
  return [...all, ...others.slice(next)];
}

type ClientFacts = Pick<
  Facts,
  "prefix" | "network" | "isKnown" | "protection" | "recipient" | "isFirstContact" | "isWanted"
>;

/** What strangers did to the whole server within an hour, from anywhere, for core/decide/crowd.ts. A restart forgets it. */
export class WholeServerWindows {
  /** Unknown recipients, each counted once for the network that asked for it. */
  readonly #probes = new NetworkTimes(COUNTED_OF_NETWORK.names);
  readonly #bounces = new NetworkTimes(COUNTED_OF_NETWORK.names);
  /** Prefixes with first contacts. */
  readonly #firstContacts = new NetworkTimes(COUNTED_OF_NETWORK.clients);

  /** Times of unknown recipients, as they count for a client of this network. */
  probes(event: MailAttributes, network: Prefix, now: Millis): readonly Millis[] {
    return (isBounce(event) ? this.#bounces : this.#probes).times(network, now);
  }

  namesProbed(network: Prefix, now: Millis): number {
    return this.#probes.ofNetwork(network, now) + this.#bounces.ofNetwork(network, now);
  }

  /** Times of first contacts, likewise. */
  firstContacts(network: Prefix, now: Millis): readonly Millis[] {
    return this.#firstContacts.times(network, now);
  }

  isAmongFirstContacts({ network, prefix }: Pick<Facts, "prefix" | "network">, now: Millis): boolean {
    return this.#firstContacts.has(network, prefix, now);
  }

  /** Counts unknown recipients and first contacts, unless the client was refused for another reason. */
  update(event: Recipient, facts: ClientFacts, { reason }: Decision, now: Millis): void {
    if (event.account !== null || facts.protection !== null || facts.isKnown || REFUSED_ANYWAY.includes(reason)) return;
    const { network, prefix } = facts;
    if (facts.recipient === "unknown")
      (isBounce(event) ? this.#bounces : this.#probes).add(network, event.recipient ?? "", now);
    else if (FIRST_CONTACTS.includes(reason) && facts.isFirstContact && !facts.isWanted)
      this.#firstContacts.add(network, prefix, now);
  }
}

const FIRST_CONTACTS: readonly Decision["reason"][] = ["greylist_asked", "first_contacts_deferred"];

const REFUSED_ANYWAY: readonly Decision["reason"][] = [
  "banned",
  "account_inactive",
  "own_sender",
  "block_listed",
  "sender_unknown",
  "bounce_recipients",
  "session_limit",
];
