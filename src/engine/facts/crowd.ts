import { isPrivate } from "../../core/decide/sparing.ts";
import type { Event } from "../../core/events/event.ts";
import { contains, type Ip, type Prefix } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Notices } from "../ports.ts";

export const CROWD = {
  /** What happened within the last one to two of these counts. */
  windowMs: 30 * MINUTE_MS,
  /** Share of all connections and sign-ins that one private address must have, and how many of them. */
  share: 0.9,
  events: 10,
  /** Different HELO names and logins that make a crowd of it. */
  faces: 3,
  /** A name counts from so long after its first sight: a flood that brings names of its own makes no crowd. */
  familiarMs: MINUTE_MS,
  /** Private addresses, and faces of each, that are remembered. */
  most: 64,
} as const;

type Window = { total: number; readonly clients: Map<Ip, Client> };
/** `faces`: since when each counts. */
type Client = { events: number; readonly faces: Map<string, number> };

/**
 * Tells whether nearly all clients come from one private address: then a container's network or a proxy hides who they
 * are, and a ban would shut out everyone. What is forgotten at a restart is soon seen again.
 */
export class Crowd {
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
    const face = faceOf(event);
    const countsFrom = event.type === "LOGIN_SUCCEEDED" ? now : now + CROWD.familiarMs;
    const known = client.faces.get(face);
    if (face !== "" && (known === undefined ? client.faces.size < CROWD.most : countsFrom < known))
      client.faces.set(face, countsFrom);
    this.#tell(event.ip, now);
  }

  /** Whether an address of this network is nearly all clients. */
  hidesIn(network: Prefix, now: Millis): boolean {
    return [this.#before, this.#now].some(({ clients }) =>
      [...clients.keys()].some((ip) => contains(network, ip) && this.#hides(ip, now)),
    );
  }

  #hides(ip: Ip, now: Millis): boolean {
    const { events, total, faces } = this.#counts(ip, now);
    return events >= CROWD.events && events >= CROWD.share * total && faces >= CROWD.faces;
  }

  #tell(ip: Ip, now: Millis): void {
    const { events, total } = this.#counts(ip, now);
    if (total >= CROWD.events && events < CROWD.share * total) this.#notices.clear("all_clients_private");
    else if (this.#hides(ip, now))
      this.#notices.raise(
        "all_clients_private",
        `${events} of the last ${total} connections and sign-ins are of ${ip}`,
      );
  }

  #counts(ip: Ip, now: Millis): Readonly<{ events: number; total: number; faces: number }> {
    const both = [this.#before, this.#now];
    const clients = both.map(({ clients: seen }) => seen.get(ip));
    return {
      events: clients.reduce((sum, client) => sum + (client?.events ?? 0), 0),
      total: both.reduce((sum, { total }) => sum + total, 0),
      faces: new Set(
        clients.flatMap((client) => [...(client?.faces ?? [])].flatMap(([face, from]) => (from <= now ? [face] : []))),
      ).size,
    };
  }

  #client(ip: Ip) {
    const known = this.#now.clients.get(ip);
    if (known !== undefined) return known;
    if (this.#now.clients.size >= CROWD.most) return null;
    const client: Client = { events: 0, faces: new Map() };
    this.#now.clients.set(ip, client);
    return client;
  }

  /** A clock that was set back starts a window too. */
  #turn(now: Millis): void {
    if (now >= this.#since && now < this.#since + CROWD.windowMs) return;
    this.#before = this.#now;
    this.#now = empty();
    this.#since = now;
  }
}

/** By what its clients differ: names that anybody may give, and accounts that proved theirs. */
function faceOf(event: Event): string {
  if (event.type === "RECIPIENT") return event.helo.toLowerCase();
  return event.type === "LOGIN_ASKED" || event.type === "LOGIN_SUCCEEDED" ? event.login.toLowerCase() : "";
}

function empty(): Window {
  return { total: 0, clients: new Map() };
}
