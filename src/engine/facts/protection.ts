import type { Policy } from "../../core/decide/policy.ts";
import { protectedBy, type Shield, shieldsOf } from "../../core/decide/sparing.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { hostPrefix, type Ip, isV4, type Prefix, prefixOf } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { OwnNetworks } from "../network-ports.ts";
import type { History } from "../storage-ports.ts";

/**
 * Knows what must never be banned: this machine, its gateway, the allow list in the settings, and the one made by
 * command.
 */
export class ProtectionList {
  readonly #own: OwnNetworks;
  readonly #history: Pick<History, "allowed">;
  #shields: readonly Shield[] = [];
  #fingerprint = "";
  #freshUntil = 0;

  constructor(own: OwnNetworks, history: Pick<History, "allowed">) {
    this.#own = own;
    this.#history = history;
  }

  /** Reads again when it is time. Returns true if anything changed, so that callers drop remembered answers. */
  refresh(policy: Policy, now: Millis, force = false): boolean {
    if (!force && now < this.#freshUntil && now >= this.#freshUntil - LIMITS.protectionMs) return false;
    this.#freshUntil = now + LIMITS.protectionMs;
    const added = this.#history.allowed().map(({ prefix }) => prefix);
    const shields = shieldsOf(this.#own.current(), policy, added);
    const fingerprint = shields.map(({ prefix, why }) => `${prefix}=${why}`).join(" ");
    if (fingerprint === this.#fingerprint) return false;
    this.#shields = shields;
    this.#fingerprint = fingerprint;
    return true;
  }

  /** What protects the network or a part of it. */
  of(network: Prefix): Protection | null {
    return protectedBy(this.#shields, network);
  }

  /** The unit of an address; only the address if its network contains something protected. */
  subject(ip: Ip, ipv6Length: number): Prefix {
    const network = prefixOf(ip, ipv6Length);
    return isV4(ip) || this.of(network) === null ? network : hostPrefix(ip);
  }
}
