import { createCallers } from "./callers.ts";
import { createPeers, UntrustedProxy } from "./client-address.ts";
import { createHealthReader } from "./health.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { createRepeats } from "./repeats.ts";
import { createConnectionShares, createRates, createReadShares } from "./shares.ts";
import { createStreams } from "./streams/streams.ts";

export type Handlers = Readonly<ReturnType<typeof createHandlers>>;

/** Dependencies that routes share, including everything with state. */
export function createHandlers(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
  const proxies = new UntrustedProxy();
  const health = createHealthReader(parts, proxies);
  return {
    parts,
    callers: createCallers(parts),
    health,
    streams: createStreams(parts, health),
    withinShare: createReadShares(),
    spend: createRates(),
    once: createRepeats(),
    proxies,
    peerOf: createPeers(parts),
    connections: createConnectionShares(limits, parts.settings),
  };
}
