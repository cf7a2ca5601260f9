import { BoundedMap } from "../../core/bounded-map.ts";
import type { ClientShare, SparingFacts } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { ALL_CLIENTS, isAllClients, isInUse, protectedBy, type Shield, shieldsOf } from "../../core/decide/sparing.ts";
import type { ClientEvent, Event } from "../../core/events/event.ts";
import type { Protection } from "../../core/events/reasons.ts";
import type { AdministratorSeen } from "../../core/events/seen.ts";
import { contains, hostPrefix, type Ip, isPrivate, isV4, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { OwnNetworks } from "../network-ports.ts";
import type { Notices } from "../ports.ts";
import type { AllowList } from "../storage-ports.ts";

/**
 * Knows what must never be banned: this machine, its gateway, the allow list in the settings, and the one made by
 * command.
 */
export class ProtectionList {
  readonly #own: OwnNetworks;
  readonly #allowList: AllowList;
  #shields: readonly Shield[] = [];
  #fingerprint = "";
  #freshUntil = 0;

  constructor(own: OwnNetworks, allowList: AllowList) {
    this.#own = own;
    this.#allowList = allowList;
  }

  /** Reads again when it is time. Returns true if anything changed, so that callers drop remembered answers. */
  refresh(policy: Policy, now: Millis, force = false): boolean {
    if (!force && now < this.#freshUntil && now >= this.#freshUntil - LIMITS.protectionMs) return false;
    this.#freshUntil = now + LIMITS.protectionMs;
    const added = this.#allowList.allowEntries().map(({ prefix }) => prefix);
    const shields = shieldsOf(this.#own.current(), policy, added);
    const fingerprint = shields.map(({ prefix, why }) => `${prefix}=${why}`).join(" ");
    if (fingerprint === this.#fingerprint) return false;
    this.#shields = shields;
    this.#fingerprint = fingerprint;
    return true;
  }

  /** The next refresh reads again. */
  expire(): void {
    this.#freshUntil = 0;
  }

  /** What protects the network or a part of it. */
  of(network: Prefix): Protection | null {
    return protectedBy(this.#shields, network);
  }

  /** The prefix of an address; only the address if its network contains something protected. */
  prefixOf(ip: Ip, ipv6Length: number): Prefix {
    const network = prefixOf(ip, ipv6Length);
    return isV4(ip) || this.of(network) === null ? network : hostPrefix(ip);
  }
}

export const CLIENT_SHARE_LIMITS = {
  /** The last one to two windows count. */
  windowMs: 30 * MINUTE_MS,
  /** A name counts only this long after it was first seen, so that new names in a flood do not count. */
  familiarMs: MINUTE_MS,
  /** Maximum private addresses that are remembered, and names of each. */
  most: 64,
} as const;

/** `v4`, `v6`: all connections and sign-ins by that protocol. Docker may hide the clients of one of them. */
type Window = { v4: number; v6: number; readonly clients: Map<Ip, Client> };
/** `names`: from when each counts. */
type Client = { events: number; readonly names: Map<string, number> };

/**
 * Counts the share of all clients by IPv4 or IPv6 that comes from each private address. If nearly all come from one
 * (core/decide/sparing.ts), a container network or a proxy hides the real addresses. A restart forgets the shares, which
 * are soon observed again.
 */
export class ClientShares {
  readonly #notices: Notices;
  #before: Window = empty();
  #now: Window = empty();
  #since = 0;
  /** The address that the notice is about. */
  #hides: Ip | null = null;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  count(event: Event, now: Millis): void {
    const isVisit = event.type === "CONNECT" || event.type === "LOGIN_ASKED";
    if (isVisit) {
      this.#turn(now);
      this.#now[familyOf(event.ip)] += 1;
    }
    if (!("ip" in event)) return;
    if (!isPrivate(event.ip)) {
      // If the proxy passes on the real addresses now, its own address is never seen again.
      if (isVisit && this.#hides !== null) this.#report(this.#hides, now);
      return;
    }
    const client = this.#client(event.ip);
    if (client === null) return;
    if (isVisit) client.events += 1;
    const name = nameOf(event);
    const countsFrom = event.type === "LOGIN_SUCCEEDED" ? now : now + CLIENT_SHARE_LIMITS.familiarMs;
    const known = client.names.get(name);
    if (name !== "" && (known === undefined ? client.names.size < CLIENT_SHARE_LIMITS.most : countsFrom < known))
      client.names.set(name, countsFrom);
    this.#report(event.ip, now);
  }

  /** The share of all clients for each private address in this network. */
  sharesIn(network: Prefix, now: Millis): readonly ClientShare[] {
    const seen = new Set([...this.#before.clients.keys(), ...this.#now.clients.keys()]);
    return [...seen].filter((ip) => contains(network, ip)).map((ip) => this.#share(ip, now));
  }

  #report(ip: Ip, now: Millis): void {
    const share = this.#share(ip, now);
    const { events, total } = share;
    if (isAllClients(share)) {
      this.#hides = ip;
      const by = isV4(ip) ? "" : " over IPv6";
      this.#notices.set(
        "all_clients_private",
        `${events} of the last ${plural(total, "connection")} and sign-ins${by} come from ${ip}`,
      );
    } else if (total >= ALL_CLIENTS.events && events < ALL_CLIENTS.share * total) {
      if (this.#hides !== null && isAllClients(this.#share(this.#hides, now))) return;
      this.#hides = null;
      this.#notices.set("all_clients_private", null);
    }
  }

  #share(ip: Ip, now: Millis): ClientShare {
    const both = [this.#before, this.#now];
    const clients = both.map(({ clients: seen }) => seen.get(ip));
    return {
      events: clients.reduce((sum, client) => sum + (client?.events ?? 0), 0),
      total: both.reduce((sum, window) => sum + window[familyOf(ip)], 0),
      names: new Set(
        clients.flatMap((client) => [...(client?.names ?? [])].flatMap(([name, from]) => (from <= now ? [name] : []))),
      ).size,
    };
  }

  #client(ip: Ip) {
    const known = this.#now.clients.get(ip);
    if (known !== undefined) return known;
    if (this.#now.clients.size >= CLIENT_SHARE_LIMITS.most) return null;
    const client: Client = { events: 0, names: new Map() };
    this.#now.clients.set(ip, client);
    return client;
  }

  /** A clock that was set back also starts a window. */
  #turn(now: Millis): void {
    if (now >= this.#since && now < this.#since + CLIENT_SHARE_LIMITS.windowMs) return;
    this.#before = this.#now;
    this.#now = empty();
    this.#since = now;
  }
}

/** Distinguishes clients by HELO names and login names. Anyone can choose them, unless the sign-in succeeded. */
function nameOf(event: Event): string {
  if (event.type === "RECIPIENT") return event.helo.toLowerCase();
  return event.type === "LOGIN_ASKED" || event.type === "LOGIN_SUCCEEDED" ? event.login.toLowerCase() : "";
}

function familyOf(ip: Ip): "v4" | "v6" {
  return isV4(ip) ? "v4" : "v6";
}

function empty(): Window {
  return { v4: 0, v6: 0, clients: new Map() };
}

/** Input of the rules in core/decide/sparing.ts. A restart forgets everything except the lists. */
export class SparingMemory {
  readonly #protection: ProtectionList;
  readonly #clientShares: ClientShares;
  readonly #administrators = new BoundedMap<Ip, Millis>(LIMITS.administrators);
  readonly #sparedAt = new BoundedMap<Prefix, Millis>(LIMITS.sparedNetworks);

  constructor(protection: ProtectionList, notices: Notices) {
    this.#protection = protection;
    this.#clientShares = new ClientShares(notices);
  }

  countClient(event: ClientEvent, now: Millis): void {
    this.#clientShares.count(event, now);
  }

  /** An administrator's session or token was used from this address. */
  administratorAt(ip: Ip, now: Millis): void {
    this.#administrators.set(ip, now);
  }

  /** An event recorded that this network was spared. */
  spared(network: Prefix, now: Millis): void {
    this.#sparedAt.set(network, now);
  }

  /** Undefined if none was seen in this network. Nearly always, none was seen anywhere. */
  administratorsIn(network: Prefix, now: Millis): readonly AdministratorSeen[] | undefined {
    if (this.#administrators.size === 0) return undefined;
    const found = [...this.#administrators].flatMap(([ip, at]) =>
      contains(network, ip) && isInUse(at, now) ? [{ ip, at }] : [],
    );
    return found.length === 0 ? undefined : found;
  }

  facts(network: Prefix, now: Millis): SparingFacts {
    return {
      protection: this.#protection.of(network),
      administratorsAt: [...this.#administrators].flatMap(([ip, at]) => (contains(network, ip) ? [at] : [])),
      clients: this.#clientShares.sharesIn(network, now),
      sparedAt: this.#sparedAt.get(network) ?? null,
    };
  }
}
