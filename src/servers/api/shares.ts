import type { Server } from "node:http";
import type { Socket } from "node:net";
import { contains, type Prefix, parseIp, prefixOf } from "../../core/net/ip.ts";

type Shares = Readonly<{
  /** Connections that one address, or one IPv6 unit, may hold at once. */
  most: number;
  ipv6Prefix: number;
  /** Trusted proxies: each passes on the connections of many clients. */
  trustedProxies: readonly Prefix[];
}>;

/** No single address can take all connections of a server: those above its share are closed as soon as they open. */
export function shareConnections(server: Server, { most, ipv6Prefix, trustedProxies }: Shares): void {
  const open = new Map<Prefix, number>();
  server.on("connection", (socket: Socket) => {
    const ip = parseIp(socket.remoteAddress?.replace(/%.*$/, "") ?? "");
    // Closed before it was looked at.
    if (ip === null) return void socket.destroy();
    if (trustedProxies.some((network) => contains(network, ip))) return;
    const unit = prefixOf(ip, ipv6Prefix);
    const held = open.get(unit) ?? 0;
    if (held >= most) return void socket.destroy();
    open.set(unit, held + 1);
    socket.once("close", () => {
      const left = (open.get(unit) ?? 1) - 1;
      if (left === 0) open.delete(unit);
      else open.set(unit, left);
    });
  });
}
