import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Notice } from "../../admin/declare/items.ts";
import { notices } from "../../core/alerts/notices.ts";
import { isNameOf } from "../../core/net/address.ts";
import { contains, type Ip, isLoopback, isPrivate, type Prefix, parseIp } from "../../core/net/ip.ts";
import { HOUR_MS, isoTime, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { ApiParts, ApiSettings } from "./ports.ts";

/** Maximum proxies in a row; a longer header must be forged. */
const HOPS = 32;

/** The sender of a request, as the kernel reports it. `user`: of its program, looked up for proxies' addresses on this machine. */
export type Peer = Readonly<{ ip: Ip; isTrusted: boolean; user: string | null }>;

type Forwarded = Readonly<{ for: string | null; proto: string | null }>;

/**
 * Where a request comes from. `X-Forwarded-For` is trusted only from a trusted proxy, and read from the right: each proxy
 * appends its peer, so the rightmost address that is not a trusted proxy cannot be forged. In the header, an address of this machine
 * counts as a client, because any local user can make the proxy append it. `secure`: a trusted proxy says that the client used https.
 */
export function clientOf(
  { ip, isTrusted }: Peer,
  forwarded: Forwarded,
  trusted: readonly Prefix[],
  isHere: (ip: Ip) => boolean,
) {
  if (!isTrusted) return { ip, secure: false };
  const isProxy = (hop: Ip): boolean => !isHere(hop) && trusted.some((network) => contains(network, hop));
  const proto = forwarded.proto?.split(",").at(-1)?.trim().toLowerCase();
  return { ip: lastUntrusted(ip, forwarded.for ?? "", isProxy), secure: proto === "https" };
}

function lastUntrusted(peer: Ip, header: string, isTrusted: (ip: Ip) => boolean): Ip {
  let nearest = peer;
  const hops = header.split(",").slice(-HOPS).reverse();
  for (const hop of hops) {
    const ip = parseIp(hop.trim());
    if (ip === null) return nearest; // its author also wrote everything to its left
    nearest = ip;
    if (!isTrusted(ip)) return ip;
  }
  return nearest;
}

type PeerParts = Pick<ApiParts, "localClients"> &
  Readonly<{ settings: Pick<ApiSettings, "trustedProxies" | "proxyUsers"> }>;

/**
 * Finds the senders of requests; null if the client has gone. An address of this machine proves nothing, because any user can connect
 * from it. For these, the kernel is asked for the user, once per connection.
 */
export function createPeers({ localClients, settings }: PeerParts) {
  const users = new WeakMap<Socket, Promise<string | null>>();
  const askUser = async ({ localAddress, localPort, remotePort }: Socket, ip: Ip): Promise<string | null> => {
    const serverIp = parseSocketIp(localAddress);
    if (serverIp === null || remotePort === undefined || localPort === undefined) return null;
    return localClients.userOf({ ip, clientPort: remotePort, serverIp, port: localPort });
  };
  return async ({ socket }: Pick<IncomingMessage, "socket">): Promise<Peer | null> => {
    const ip = parseSocketIp(socket.remoteAddress);
    if (ip === null) return null;
    if (!settings.trustedProxies.some((network) => contains(network, ip))) return { ip, isTrusted: false, user: null };
    if (!localClients.isHere(ip)) return { ip, isTrusted: true, user: null };
    const user = await users.getOrInsertComputed(socket, () => askUser(socket, ip));
    return { ip, isTrusted: user !== null && settings.proxyUsers.includes(user), user };
  };
}

/** The address of one end of a socket, without the zone of a link-local one (`fe80::1%eth0`). Null once the client has gone. */
export function parseSocketIp(address: string | undefined): Ip | null {
  return parseIp(address?.replace(/%.*$/, "") ?? "");
}

/** How long the notice stays after the last such request. */
const NOTICE_MS = 10 * MINUTE_MS;
/** Reports within this time are the same notice. */
const SAME_MS = HOUR_MS;

/**
 * Requests with `X-Forwarded-For` from an untrusted peer, most likely a proxy that the settings lack. Reports only the last peer nearby,
 * and only requests of administrators. The notice says to trust the peer, from which strangers may come too (Docker's published ports).
 */
export class UntrustedProxy {
  #last: Readonly<{ peer: Ip; since: Millis; at: Millis; user: string | null }> | null = null;

  /** Notes a request of an administrator. `client`: the client that the request counts for. */
  observe({ ip: peer, user }: Pick<Peer, "ip" | "user">, client: Ip, forwardedFor: string | null, now: Millis): void {
    if (forwardedFor === null || peer !== client || !(isPrivate(peer) || isLoopback(peer))) return;
    const first = parseIp(forwardedFor.split(",").at(-1)?.trim() ?? "");
    // Trusting a peer that names only itself would change nothing.
    if (first === null || first === peer) return;
    const last = this.#last;
    const since = last?.peer === peer && Math.abs(now - last.at) < SAME_MS ? last.since : now;
    this.#last = { peer, since, at: now, user };
  }

  notices(now: Millis): readonly Notice[] {
    if (this.#last === null || Math.abs(now - this.#last.at) >= NOTICE_MS) return [];
    const { peer, since, user } = this.#last;
    const code = "proxy_not_trusted";
    const of = user === null ? "" : `, from a program of the user ${user}`;
    return [{ code, since: isoTime(since), detail: `X-Forwarded-For came from ${peer}${of}`, ...notices[code] }];
  }
}

/**
 * Whether a `Host` header (RFC 9110, 7.2) can mean this server. A page of evil.example can make its name resolve to our address, and
 * the browser then lets that page read our answers (DNS rebinding); only the `Host` header shows it. Addresses are always accepted,
 * and names without a dot too, because they do not exist in the public DNS (RFC 7085).
 * @param names Our names; names below them are ours too.
 */
export function isOwnName(host: string | null, names: readonly string[]): boolean {
  const name = URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "");
  if (host === null || name === undefined) return false;
  if (parseIp(name.replace(/^\[(.*)\]$/, "$1")) !== null || (name !== "" && !name.includes("."))) return true;
  return isNameOf(name, names);
}
