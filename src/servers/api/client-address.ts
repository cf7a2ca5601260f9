import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { contains, type Ip, type Prefix, parseIp } from "../../core/net/ip.ts";
import type { ApiParts, LocalClients } from "./ports.ts";

/** Maximum proxies in a row. A longer header is forged. */
const HOPS = 32;

export type ClientOrigin = Readonly<{
  ip: Ip;
  /** The client used https, according to a trusted proxy. */
  secure: boolean;
}>;

/** The sender of a request, as the kernel reports it. `user`: the program's user, if it runs on this machine and its address could be a proxy's. */
export type Peer = Readonly<{ ip: Ip; isTrusted: boolean; user: string | null }>;

type Forwarded = Readonly<{ for: string | null; proto: string | null }>;

/**
 * Where a request comes from. `X-Forwarded-For` is trusted only from a trusted proxy, and read from the right: each
 * proxy appends its peer, so the rightmost address that is not a trusted proxy cannot be forged. An address of this
 * machine counts as a client there: any local user can make the proxy append it.
 */
export function originOf(
  { ip, isTrusted }: Peer,
  forwarded: Forwarded,
  trusted: readonly Prefix[],
  isHere: (ip: Ip) => boolean,
): ClientOrigin {
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
    if (ip === null) return nearest; // what stands further left was written by somebody who writes nonsense
    nearest = ip;
    if (!isTrusted(ip)) return ip;
  }
  return nearest;
}

type PeerParts = Readonly<{
  localClients: LocalClients;
  settings: Pick<ApiParts["settings"], "trustedProxies" | "proxyUsers">;
}>;

/**
 * Finds the senders of requests. On this machine an address proves nothing: any user can connect from it. So the kernel is asked for the
 * user, once a connection.
 */
export class Peers {
  readonly #parts: PeerParts;
  readonly #users = new WeakMap<Socket, Promise<string | null>>();

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /** Null: the client's address is gone. */
  async of({ socket }: Pick<IncomingMessage, "socket">): Promise<Peer | null> {
    const { localClients, settings } = this.#parts;
    const ip = parseIp(socket.remoteAddress ?? "");
    if (ip === null) return null;
    if (!settings.trustedProxies.some((network) => contains(network, ip))) return { ip, isTrusted: false, user: null };
    if (!localClients.isHere(ip)) return { ip, isTrusted: true, user: null };
    const user = await this.#userOf(socket, ip);
    return { ip, isTrusted: user !== null && settings.proxyUsers.includes(user), user };
  }

  #userOf(socket: Socket, ip: Ip): Promise<string | null> {
    const known = this.#users.get(socket);
    if (known !== undefined) return known;
    const serverIp = parseIp(socket.localAddress ?? "");
    const { remotePort, localPort } = socket;
    const asked =
      serverIp === null || remotePort === undefined || localPort === undefined
        ? Promise.resolve(null)
        : this.#parts.localClients.userOf({ ip, clientPort: remotePort, serverIp, port: localPort });
    this.#users.set(socket, asked);
    return asked;
  }
}
