import type { ClientShare } from "../../core/decide/facts.ts";
import { ALL_CLIENTS, isAllClients } from "../../core/decide/sparing.ts";
import type { Event } from "../../core/events/event.ts";
import { contains, type Ip, type Prefix } from "../../core/net/ip.ts";
import { isPrivate } from "../../core/net/private.ts";
import { plural } from "../../core/text.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Notices } from "../ports.ts";

export const CLIENT_SHARE_LIMITS = {
  /** The last one to two windows count. */
  windowMs: 30 * MINUTE_MS,
  /** A name counts this long after it was first seen, so that new names in a flood do not count. */
  familiarMs: MINUTE_MS,
  /** Maximum private addresses that are remembered, and names of each. */
  most: 64,
} as const;

type Window = { total: number; readonly clients: Map<Ip, Client> };
/** `names`: since when each counts. */
type Client = { events: number; readonly names: Map<string, number> };

/**
 * Counts which share of all clients comes from each private address. If nearly all come from one
 * (core/decide/sparing.ts), a container network or a proxy hides the real addresses. A restart forgets this; it is soon
 * observed again.
 */
export class ClientShares {
  readonly #notices: Notices;
  #before: Window = empty();
  #now: Window = empty();
  #since = 0;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  observe(event: Event, now: Millis): void {
    if (event.type === "CONNECT" || event.type === "LOGIN_ASKED") {
      this.#turn(now);
      this.#now.total += 1;
    }
    if (!("ip" in event) || !isPrivate(event.ip)) return;
    const client = this.#client(event.ip);
    if (client === null) return;
    if (event.type === "CONNECT" || event.type === "LOGIN_ASKED") client.events += 1;
    const name = nameOf(event);
    const countsFrom = event.type === "LOGIN_SUCCEEDED" ? now : now + CLIENT_SHARE_LIMITS.familiarMs;
    const known = client.names.get(name);
    if (name !== "" && (known === undefined ? client.names.size < CLIENT_SHARE_LIMITS.most : countsFrom < known))
      client.names.set(name, countsFrom);
    this.#tell(event.ip, now);
  }

  /** The share of all clients for each private address in this network. */
  sharesIn(network: Prefix, now: Millis): readonly ClientShare[] {
    const seen = new Set([...this.#before.clients.keys(), ...this.#now.clients.keys()]);
    return [...seen].filter((ip) => contains(network, ip)).map((ip) => this.#share(ip, now));
  }

  #tell(ip: Ip, now: Millis): void {
    const share = this.#share(ip, now);
    const { events, total } = share;
    if (total >= ALL_CLIENTS.events && events < ALL_CLIENTS.share * total) this.#notices.clear("all_clients_private");
    else if (isAllClients(share))
      this.#notices.raise(
        "all_clients_private",
        `${events} of the last ${plural(total, "connection")} and sign-ins are of ${ip}`,
      );
  }

  #share(ip: Ip, now: Millis): ClientShare {
    const both = [this.#before, this.#now];
    const clients = both.map(({ clients: seen }) => seen.get(ip));
    return {
      events: clients.reduce((sum, client) => sum + (client?.events ?? 0), 0),
      total: both.reduce((sum, { total }) => sum + total, 0),
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

/** Distinguishes clients: by names, which anyone can choose, and by accounts, which were proven. */
function nameOf(event: Event): string {
  if (event.type === "RECIPIENT") return event.helo.toLowerCase();
  return event.type === "LOGIN_ASKED" || event.type === "LOGIN_SUCCEEDED" ? event.login.toLowerCase() : "";
}

function empty(): Window {
  return { total: 0, clients: new Map() };
}
