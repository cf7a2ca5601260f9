import type { Event } from "../core/event.ts";
import type { Ip } from "../core/ip.ts";
import { isPrivate } from "../core/sparing.ts";
import { MINUTE_MS, type Millis } from "../core/time.ts";
import type { Notices } from "./ports.ts";

export const CROWD = {
  /** What happened within the last one to two of these counts. */
  windowMs: 30 * MINUTE_MS,
  /** Share of all connections and sign-ins that one private address must have, and how many of them. */
  share: 0.9,
  events: 10,
  /** Different HELO names and logins that make a crowd of it. */
  faces: 3,
  /** Private addresses, and faces of each, that are remembered. */
  most: 64,
} as const;

type Window = { total: number; readonly clients: Map<Ip, { events: number; readonly faces: Set<string> }> };

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
    const face = event.type === "RECIPIENT" ? event.helo : event.type === "LOGIN_ASKED" ? event.login : "";
    if (face !== "" && client.faces.size < CROWD.most) client.faces.add(face.toLowerCase());
    this.#tell(event.ip);
  }

  /** Whether this address is nearly all clients. */
  hides(ip: Ip): boolean {
    const { events, total } = this.#counts(ip);
    return events >= CROWD.events && events >= CROWD.share * total;
  }

  #tell(ip: Ip): void {
    const { events, total, faces } = this.#counts(ip);
    if (!this.hides(ip)) {
      if (total >= CROWD.events && events < CROWD.share * total) this.#notices.clear("all_clients_private");
    } else if (faces >= CROWD.faces)
      this.#notices.raise(
        "all_clients_private",
        `${events} of the last ${total} connections and sign-ins are of ${ip}`,
      );
  }

  #counts(ip: Ip): Readonly<{ events: number; total: number; faces: number }> {
    const both = [this.#before, this.#now];
    const clients = both.map(({ clients: seen }) => seen.get(ip));
    return {
      events: clients.reduce((sum, client) => sum + (client?.events ?? 0), 0),
      total: both.reduce((sum, { total }) => sum + total, 0),
      faces: clients.reduce((most, client) => Math.max(most, client?.faces.size ?? 0), 0),
    };
  }

  #client(ip: Ip) {
    const known = this.#now.clients.get(ip);
    if (known !== undefined) return known;
    if (this.#now.clients.size >= CROWD.most) return null;
    const client = { events: 0, faces: new Set<string>() };
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

function empty(): Window {
  return { total: 0, clients: new Map() };
}
