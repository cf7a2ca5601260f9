import { BoundedMap } from "../../core/bounded-map.ts";
import type { Decision } from "../../core/decide/decision.ts";
import { banIn, spared } from "../../core/decide/sparing.ts";
import type { Event } from "../../core/events/event.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { contains, type Ip, type Prefix } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { Notices } from "../ports.ts";
import { Crowd } from "./crowd.ts";
import type { ProtectionList } from "./protection.ts";

/** An administrator's dashboard or token that was used so lately is in use. */
const SESSION_MS = 30 * MINUTE_MS;
/** An address that is spared again and again is told of so often. */
const NEWS_EVERY_MS = 10 * MINUTE_MS;

/** The last look before a ban commits: whom it must not meet, however it came about. */
export class Sparing {
  readonly #protection: ProtectionList;
  readonly #crowd: Crowd;
  readonly #administrators = new BoundedMap<Ip, Millis>(LIMITS.administrators);
  readonly #told = new BoundedMap<Prefix, Millis>(LIMITS.cachedAccounts);

  constructor(protection: ProtectionList, notices: Notices) {
    this.#protection = protection;
    this.#crowd = new Crowd(notices);
  }

  observe(event: Event, now: Millis): void {
    this.#crowd.observe(event, now);
  }

  /** An administrator's session or token was used from here. */
  administratorAt(ip: Ip, now: Millis): void {
    this.#administrators.set(ip, now);
  }

  /** What forbids a ban of this network; null if nothing does. */
  why(network: Prefix, now: Millis): Protection | null {
    const protection = this.#protection.of(network);
    if (protection !== null) return protection;
    for (const [ip, at] of this.#administrators)
      if (isWithin(now, at, SESSION_MS) && contains(network, ip)) return "admin_session";
    return this.#crowd.hidesIn(network, now) ? "all_clients" : null;
  }

  /** The decision as it may commit. */
  apply(decided: Decision, event: Event, now: Millis): Decision {
    const ban = banIn(decided);
    const why = ban === null ? null : this.why(ban.prefix, now);
    return ban === null || why === null ? decided : spared(decided, event, why, this.isNews(ban.prefix, now));
  }

  /** Whether it is worth an event that this network was spared: now and then. */
  isNews(prefix: Prefix, now: Millis): boolean {
    const told = this.#told.get(prefix);
    if (told !== undefined && isWithin(now, told, NEWS_EVERY_MS)) return false;
    this.#told.set(prefix, now);
    return true;
  }
}

/** A clock that was set back by more than this keeps nothing alive. */
function isWithin(now: Millis, at: Millis, lengthMs: number): boolean {
  return Math.abs(now - at) < lengthMs;
}
