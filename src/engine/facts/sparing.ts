import { BoundedMap } from "../../core/bounded-map.ts";
import type { SparingFacts } from "../../core/decide/facts.ts";
import { isInUse } from "../../core/decide/sparing.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { AdministratorSeen } from "../../core/events/seen.ts";
import { contains, type Ip, type Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { Notices } from "../ports.ts";
import { ClientShares } from "./client-shares.ts";
import type { ProtectionList } from "./protection.ts";

/** Input of the rules in core/decide/sparing.ts. A restart forgets everything except the lists. */
export class SparingMemory {
  readonly #protection: ProtectionList;
  readonly #clientShares: ClientShares;
  readonly #administrators = new BoundedMap<Ip, Millis>(LIMITS.administrators);
  readonly #sparedAt = new BoundedMap<Prefix, Millis>(LIMITS.cachedAccounts);

  constructor(protection: ProtectionList, notices: Notices) {
    this.#protection = protection;
    this.#clientShares = new ClientShares(notices);
  }

  observe(event: ClientEvent, now: Millis): void {
    this.#clientShares.observe(event, now);
  }

  /** An administrator's session or token was used from this address. */
  administratorAt(ip: Ip, now: Millis): void {
    this.#administrators.set(ip, now);
  }

  /** An event recorded that this network was spared. */
  spared(network: Prefix, now: Millis): void {
    this.#sparedAt.set(network, now);
  }

  /** Undefined: none in this network. Nearly always there are none at all. */
  administratorsIn(network: Prefix, now: Millis): readonly AdministratorSeen[] | undefined {
    if (this.#administrators.size === 0) return undefined;
    const found = [...this.#administrators].flatMap(([ip, at]) =>
      contains(network, ip) && isInUse(at, now) ? [{ ip, at }] : [],
    );
    return found.length === 0 ? undefined : found;
  }

  facts(network: Prefix, now: Millis): SparingFacts {
    return {
      protection: this.#protection.of(network),
      administratorsAt: [...this.#administrators].flatMap(([ip, at]) => (contains(network, ip) ? [at] : [])),
      clients: this.#clientShares.sharesIn(network, now),
      sparedAt: this.#sparedAt.get(network) ?? null,
    };
  }
}
