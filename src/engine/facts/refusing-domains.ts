import { BoundedMap } from "../../core/bounded-map.ts";
import { REFUSALS_OF_DOMAIN } from "../../core/decide/sending.ts";
import { later, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";

export type Refusal = Readonly<{ account: string; recipient: string }>;

/**
 * How often the servers of one domain refused mail of an account. Only a few of these count: otherwise a stranger whose domain
 * refuses each answer of an autoresponder could have its account held. Kept in memory only.
 */
export class RefusingDomains {
  readonly #counted = new BoundedMap<string, readonly Millis[]>(LIMITS.refusingDomains);

  /** Whether one more refusal counts within this window. If so, counts it. */
  take(refusal: Refusal, windowMs: number, now: Millis): boolean {
    const key = keyOf(refusal);
    const since = later(now, -windowMs);
    // A time later than now is from before the clock was set back.
    const before = (this.#counted.get(key) ?? []).filter((at) => at > since && at <= now);
    if (before.length >= REFUSALS_OF_DOMAIN) return false;
    this.#counted.set(key, [...before, now]);
    return true;
  }

  /** The latest counted refusals. */
  takeBack(refusal: Refusal): void {
    const key = keyOf(refusal);
    this.#counted.set(key, (this.#counted.get(key) ?? []).slice(0, -1));
  }
}

function keyOf({ account, recipient }: Refusal): string {
  return `${account} ${domainOf(recipient)}`;
}

/**
 * Ignores subdomains, since anyone may create as many as they want. `co.uk` counts as one domain then, so fewer
 * refusals count.
 */
function domainOf(recipient: string): string {
  const domain = recipient.slice(recipient.lastIndexOf("@") + 1).toLowerCase();
  return domain.split(".").slice(-2).join(".");
}
