import { Callers } from "./callers.ts";
import { createPeers, UntrustedProxy } from "./client-address.ts";
import { createHealthReader } from "./health.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { Repeats } from "./repeats.ts";
import { ConnectionShares, Rates, ReadShares } from "./shares.ts";
import { createStreams } from "./streams/streams.ts";

export type Handlers = Readonly<ReturnType<typeof createHandlers>>;

/** Dependencies that routes share, including everything with state. */
export function createHandlers(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
  const proxies = new UntrustedProxy();
  const health = createHealthReader(parts, proxies);
  return {
    parts,
    callers: new Callers(parts),
    health,
    streams: createStreams(parts, health),
    reads: new ReadShares(),
    rates: new Rates(),
    repeats: new Repeats(),
    proxies,
    peerOf: createPeers(parts),
    connections: new ConnectionShares(limits, parts.settings),
  };
}
