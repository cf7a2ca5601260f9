import { Callers } from "./callers.ts";
import { createPeers, UntrustedProxy } from "./client-address.ts";
import { HealthReader } from "./health.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { Repeats } from "./repeats.ts";
import { ConnectionShares, Rates, ReadShares } from "./shares.ts";
import { Streams } from "./streams/streams.ts";

export type Handlers = Readonly<ReturnType<typeof createHandlers>>;

/** Dependencies that routes share, including everything with state. */
export function createHandlers(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
  const proxies = new UntrustedProxy();
  const health = new HealthReader(parts, proxies);
  return {
    parts,
    callers: new Callers(parts),
    health,
    streams: new Streams(parts, health),
    reads: new ReadShares(),
    rates: new Rates(),
    repeats: new Repeats(),
    proxies,
    peerOf: createPeers(parts),
    connections: new ConnectionShares(limits, parts.settings),
  };
}
