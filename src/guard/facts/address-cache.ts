import { BoundedMap } from "../../core/bounded-map.ts";
import type { Ban } from "../../core/decide/decision.ts";
import type { FailedLogin } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { longestWindowMs, timesToKeep } from "../../core/decide/windows.ts";
import { type Event, isLogin, windowOf } from "../../core/events/event.ts";
import type { LoginAttributes } from "../../core/events/login.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { type Ip, isV4, neighbourhoodOf, networkAddress, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { instant, later, type Millis, WEEK_MS } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import { type AddressHistory, type History, NO_HISTORY } from "../storage-ports.ts";
import type { ProtectionList } from "./sparing.ts";

/** The windows of one client: a copy of the database that may be dropped at any time. */
export type AddressState = {
  readonly prefix: Prefix;
  /** The network of the prefix and its neighbours. */
  readonly network: Prefix;
  /** Sign-ins make a whole IPv6 network known, even if something protected splits it into single addresses. */
  readonly place: Prefix;
  readonly protection: Protection | null;
  ban: Ban | null;
  knownAt: Millis | null;
  offencesAt: Millis[];
  connections: Millis[];
  mails: Millis[];
  failures: FailedLogin[];
  probes: Millis[];
  bounces: Millis[];
};

/** Remembers the latest clients. Others are read from the database when they return. */
export class AddressCache {
  readonly #history: History;
  readonly #protection: ProtectionList;
  readonly #prefixes = new BoundedMap<Ip, Prefix>(LIMITS.cachedAddresses);
  readonly #states = new BoundedMap<Prefix, AddressState>(LIMITS.cachedAddresses);

  constructor(history: History, protection: ProtectionList) {
    this.#history = history;
    this.#protection = protection;
  }

  state(policy: Policy, ip: Ip, now: Millis): AddressState {
    const prefix = this.#prefixOf(policy, ip);
    return this.#states.touch(prefix) ?? this.#load(policy, prefix, now);
  }

  /** The state of an address whose history cannot be read. Its protection is known anyway. */
  blank(policy: Policy, ip: Ip): AddressState {
    return this.#stateOf(whereIs(policy, this.#prefixOf(policy, ip)), NO_HISTORY, instant(0));
  }

  /** Adds an event that counts to the window that its record names. */
  count(policy: Policy, event: Event, state: AddressState, now: Millis): void {
    const keep = mostTimes(policy);
    switch (windowOf(event)) {
      case "connection":
        return push(state.connections, now, keep);
      case "mail":
        return push(state.mails, now, keep);
      case "login":
        return isLogin(event) ? push(state.failures, failedLoginOf(event, now), mostFailures(policy)) : undefined;
      case "probe":
        return push(state.probes, now, keep);
      case "bounce":
        return push(state.bounces, now, keep);
      // `SentMails` counts the mails of accounts.
      case "account_mail":
      case null:
    }
  }

  /** Notes that an account signed in from this place. */
  know(place: Prefix, now: Millis): void {
    const whole = this.#states.get(place);
    if (whole !== undefined) whole.knownAt = now;
    else if (!isV4(place)) for (const [, state] of this.#states) if (state.place === place) state.knownAt = now;
  }

  /** A ban on this network changed: all addresses in it are read again. */
  drop(network: Prefix, policy: Policy): void {
    const client = this.#protection.prefixOf(networkAddress(network), policy.bans.ipv6Prefix);
    if (client === network) this.#states.delete(network);
    else this.forget();
  }

  forget(): void {
    this.#prefixes.clear();
    this.#states.clear();
  }

  #prefixOf(policy: Policy, ip: Ip): Prefix {
    const known = this.#prefixes.get(ip);
    if (known !== undefined) return known;
    const prefix = this.#protection.prefixOf(ip, policy.bans.ipv6Prefix);
    this.#prefixes.set(ip, prefix);
    return prefix;
  }

  #load(policy: Policy, prefix: Prefix, now: Millis): AddressState {
    const where = whereIs(policy, prefix);
    const history = this.#history.address(prefix, {
      place: where.place,
      sinceConnections: later(now, -longestWindowMs(policy.connections)),
      sinceMails: later(now, -longestWindowMs(policy.mail)),
      sinceFailures: later(now, -Math.max(WEEK_MS, policy.logins.windowMs)),
      sinceProbes: later(now, -longestWindowMs(policy.probes)),
      most: mostTimes(policy),
      mostFailures: mostFailures(policy),
    });
    const state = this.#stateOf(where, history, now);
    this.#states.set(prefix, state);
    return state;
  }

  #stateOf(where: ReturnType<typeof whereIs>, history: AddressHistory, now: Millis): AddressState {
    return {
      ...where,
      protection: this.#protection.of(where.prefix),
      ban: history.ban,
      knownAt: history.knownAt,
      offencesAt: [...history.offencesAt],
      connections: until(history.connections, now),
      mails: until(history.mails, now),
      failures: history.failures.filter(({ at }) => at <= now),
      probes: until(history.probes, now),
      bounces: until(history.bounces, now),
    };
  }
}

function whereIs({ bans: { ipv6Prefix } }: Policy, prefix: Prefix): Pick<AddressState, "prefix" | "network" | "place"> {
  const address = networkAddress(prefix);
  return { prefix, network: neighbourhoodOf(address, ipv6Prefix), place: prefixOf(address, ipv6Prefix) };
}

export function failedLoginOf({ passwordHash, login }: LoginAttributes, at: Millis): FailedLogin {
  return { at, passwordHash, account: login.toLowerCase() };
}

/** Drops future times, which are from before the clock was set back. */
function until(times: readonly Millis[], now: Millis): Millis[] {
  return times.filter((at) => at <= now);
}

/** Appends, and drops old entries that no limit needs once they are half of the list. */
export function push<T>(list: T[], item: T, keep: number): void {
  list.push(item);
  if (list.length > 2 * keep) list.splice(0, list.length - keep);
}

export function mostTimes(policy: Policy): number {
  const { mail, connections, probes, knownFactor } = policy;
  return timesToKeep([...mail, ...connections, ...probes], knownFactor);
}

/** As many as any limit on the passwords of one address needs, and enough to recognise stale ones. */
function mostFailures({ logins, accounts, knownFactor }: Policy): number {
  const limits = [logins.failures * knownFactor, logins.perWeek, logins.knownPerDay, accounts.candidates];
  return Math.max(LIMITS.failuresPerAddress, ...limits.map((limit) => limit + 1));
}
