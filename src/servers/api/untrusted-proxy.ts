import { notices } from "../../core/alerts/notices.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { isPrivate } from "../../core/net/private.ts";
import { HOUR_MS, isoTime, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Health } from "../../wire/control/items.ts";
import type { Peer } from "./client-address.ts";

type Notice = Health["notices"][number];

/** How long the notice stays after the last such request. */
const NOTICE_MS = 10 * MINUTE_MS;
/** Reports within this time are the same notice. */
const SAME_MS = HOUR_MS;

/** Maximum number of remembered peers; the one seen last is reported. */
const MOST_PEERS = 8;

/**
 * Requests with `X-Forwarded-For` from a peer that is not trusted: most likely a proxy that the settings do not name, or whose user they do not name. Only
 * peers of this machine or of private networks are reported, and only for requests with a session or token: strangers may arrive
 * from such a peer too, such as through a port that Docker forwards, and the notice says to trust it.
 */
export class UntrustedProxy {
  /** The peer seen last is last. */
  readonly #seen = new Map<Ip, Readonly<{ since: Millis; at: Millis; user: string | null }>>();

  /** Notes a request of a signed-in caller. `client`: the client that the request counts for. */
  saw({ ip: peer, user }: Pick<Peer, "ip" | "user">, client: Ip, forwardedFor: string | null, now: Millis): void {
    if (forwardedFor === null || peer !== client || !isNear(peer)) return;
    const first = parseIp(forwardedFor.split(",").at(-1)?.trim() ?? "");
    // A header that names the peer itself changes nothing.
    if (first === null || first === peer) return;
    const known = this.#seen.get(peer);
    const since = known !== undefined && now < later(known.at, SAME_MS) ? known.since : now;
    this.#seen.delete(peer);
    this.#seen.set(peer, { since, at: now, user });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MOST_PEERS && oldest !== undefined) this.#seen.delete(oldest);
  }

  /** The notice to show now. */
  notices(now: Millis): readonly Notice[] {
    const last = [...this.#seen].at(-1);
    if (last === undefined) return [];
    const [peer, { since, at, user }] = last;
    if (now >= later(at, NOTICE_MS)) return [];
    const code = "proxy_not_trusted";
    const of = user === null ? "" : `, from a program of the user ${user}`;
    return [{ code, since: isoTime(since), detail: `X-Forwarded-For came from ${peer}${of}`, ...notices[code] }];
  }
}

function isNear(peer: Ip): boolean {
  return isPrivate(peer) || peer === "::1" || peer.startsWith("127.");
}
