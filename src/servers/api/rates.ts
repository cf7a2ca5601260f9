import { BoundedMap } from "../../core/bounded-map.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";

/** A caller's remaining requests, as draft-ietf-httpapi-ratelimit-headers writes it. */
export type Rate = Readonly<{ isOver: boolean; resetSeconds: number; headers: Readonly<Record<string, string>> }>;

/** Limits the requests of each caller (`identityOf`) per minute, so that a busy one leaves time for others. */
export class Rates {
  readonly #spent = new BoundedMap<string, { readonly since: Millis; count: number }>(API_LIMITS.callers);

  /** Counts one more request of this caller. */
  spend(caller: string, now: Millis): Rate {
    const { requests, requestsMs } = API_LIMITS;
    const known = this.#spent.get(caller);
    const isPast = known === undefined || now < known.since || now - known.since >= requestsMs;
    const window = isPast ? { since: now, count: 0 } : known;
    window.count += 1;
    if (isPast) this.#spent.set(caller, window);
    const resetSeconds = Math.ceil((window.since + requestsMs - now) / SECOND_MS);
    const left = Math.max(0, requests - window.count);
    return {
      isOver: window.count > requests,
      resetSeconds,
      headers: {
        "ratelimit-policy": `"caller";q=${requests};w=${requestsMs / SECOND_MS}`,
        ratelimit: `"caller";r=${left};t=${resetSeconds}`,
      },
    };
  }
}
