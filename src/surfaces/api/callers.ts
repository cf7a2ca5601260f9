import { setTimeout as pause } from "node:timers/promises";
import type { CallerItem } from "../../admin/declare/items.ts";
import { NOTE_USE_MS } from "../../core/access/session.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { type Ip, type Prefix, prefixOf } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import { type Caller, secretOf } from "./access.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { createTurns } from "./shares.ts";

/**
 * `down`: the guard does not answer, or cannot (its disk is full), and this caller is unknown. `crowd`: it is unknown, and the guard was not asked,
 * because its network has sent too many wrong credentials.
 */
export type Found = Caller | "down" | "crowd" | null;

/** `usedAt`: the last use reported to the guard. */
type Remembered = Readonly<{ item: CallerItem; at: Millis; usedAt: Millis | null }>;
type Parts = Pick<ApiParts, "guard" | "clock" | "settings">;

/**
 * Identifies callers by asking the guard. Remembers a yes for `API_LIMITS.callerAgeMs`: an ended session or token may read for
 * that long, but the guard checks each command. Remembers a no only for the address that asked, so showing a session where it
 * is not valid does not end it.
 */
export class Callers {
  readonly #parts: Parts;
  readonly #remembered = new BoundedMap<string, Remembered>(API_LIMITS.callers);
  /** When the guard said no, by digest and address; by digest only for signed-out sessions. */
  readonly #refused = new BoundedMap<string, Millis>(API_LIMITS.callers);
  /** Sessions that were signed out while the guard could not end them, by digest. */
  readonly #ending = new BoundedMap<string, true>(API_LIMITS.callers);
  readonly #asking = new Map<string, Promise<Found>>();
  readonly #strangers: ReturnType<typeof createStrangers>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#strangers = createStrangers(parts);
  }

  /** Null: no valid credential. This counts as a use. `secure`: the client used https. */
  async of(headers: Headers, ip: Ip, secure = false): Promise<Found> {
    const secret = secretOf(headers, secure);
    if (secret === null || this.#isRefused(secret, ip)) return null;
    const known = this.#remembered.get(keyOf(secret, ip));
    if (known !== undefined && this.#isFresh(known)) return { ...known.item, secret };
    return this.#ask(secret, ip, true);
  }

  /**
   * Whether the caller of an open stream is still valid; does not prolong a session. While the guard does not answer, a stream
   * lasts as long as requests are accepted.
   */
  async stillHolds(caller: Caller, ip: Ip): Promise<boolean> {
    const found = await this.#ask(caller.secret, ip, false);
    return found !== null && found !== "down";
  }

  /** Signs out, including for pending answers. */
  end({ secret }: Caller, ip: Ip): void {
    this.#remembered.delete(keyOf(secret, ip));
    this.#refused.set(digestOf(secret), this.#parts.clock.now());
  }

  /** Keeps a session signed out that the guard could not end, and asks again until it has. */
  async endLater({ secret }: Caller, ip: Ip): Promise<void> {
    const { guard, clock } = this.#parts;
    const digest = digestOf(secret);
    this.#ending.set(digest, true);
    while (this.#ending.get(digest) === true) {
      await pause(API_LIMITS.endAgainMs, undefined, { ref: false });
      const reply = await guard.ask({ as: secret, ip }, { verb: "sign_out" });
      if (!reply.ok && (reply.kind === "unreachable" || reply.denied === undefined)) continue;
      this.#refused.set(digest, clock.now());
      this.#ending.delete(digest);
    }
  }

  #ask(secret: string, ip: Ip, isUse: boolean): Promise<Found> {
    const key = keyOf(secret, ip);
    const running = this.#asking.get(`${key} ${isUse}`);
    if (running !== undefined) return running;
    const asked =
      isUse && this.#remembered.get(key) === undefined
        ? this.#asStranger(secret, ip)
        : this.#askGuard(secret, ip, isUse);
    this.#asking.set(`${key} ${isUse}`, asked);
    return asked.finally(() => this.#asking.delete(`${key} ${isUse}`));
  }

  async #asStranger(secret: string, ip: Ip): Promise<Found> {
    if (!this.#strangers.mayAsk(ip)) return "crowd";
    const found = await this.#strangers.inTurn(async () =>
      this.#strangers.mayAsk(ip) ? this.#askGuard(secret, ip, true) : "crowd",
    );
    if (found === null) this.#strangers.wasWrong(ip);
    return found === "no_turn" ? "down" : found;
  }

  async #askGuard(secret: string, ip: Ip, isUse: boolean): Promise<Found> {
    const { guard } = this.#parts;
    const key = keyOf(secret, ip);
    const before = this.#remembered.get(key);
    const reply = await guard.ask({ as: secret, ip }, { verb: "caller", isUse });
    if (this.#isRefused(secret, ip)) return null;
    const known = this.#remembered.get(key);
    if (reply.ok) {
      // It may have given a proof while this question was pending.
      const isNewer = known !== undefined && known !== before;
      return this.confirm(secret, ip, isNewer ? known.item : reply.result.caller, isUse);
    }
    if (reply.kind !== "unreachable" && reply.denied !== undefined) {
      this.#remembered.delete(key);
      this.#refused.set(key, this.#parts.clock.now());
      return null;
    }
    if (known === undefined || this.#age(known) >= API_LIMITS.callerAgeWithoutGuardMs) return "down";
    return { ...known.item, secret };
  }

  /** The guard has just said who this is; it replaces the answer before. `isUse`: it counts as a use, as a sign-in and a proof do. */
  confirm(secret: string, ip: Ip, item: CallerItem, isUse = true): Caller {
    const key = keyOf(secret, ip);
    const at = this.#parts.clock.now();
    this.#remembered.set(key, { item, at, usedAt: isUse ? at : (this.#remembered.get(key)?.usedAt ?? null) });
    return { ...item, secret };
  }

  #isRefused(secret: string, ip: Ip): boolean {
    const digest = digestOf(secret);
    if (this.#ending.get(digest) === true) return true;
    const times = [this.#refused.get(digest), this.#refused.get(keyOf(secret, ip))];
    return times.some((at) => at !== undefined && this.#age({ at }) < API_LIMITS.wrongCredentialsMs);
  }

  /** A stream keeps the yes fresh, but does not count as a use: other requests are still reported to the guard. */
  #isFresh(known: Remembered): boolean {
    if (known.usedAt === null || this.#age({ at: known.usedAt }) >= NOTE_USE_MS) return false;
    return this.#age(known) < API_LIMITS.callerAgeMs;
  }

  #age({ at }: Pick<Remembered, "at">): number {
    return Math.abs(this.#parts.clock.now() - at);
  }
}

/** Limits questions about unknown credentials: strangers can make up any number, and the guard has mail to decide on. */
function createStrangers({ clock, settings }: Parts) {
  const wrong = new BoundedMap<Prefix, { readonly since: Millis; count: number }>(API_LIMITS.callers);
  const recent = (network: Prefix) => {
    const known = wrong.get(network);
    const age = known === undefined ? 0 : Math.abs(clock.now() - known.since);
    return age < API_LIMITS.wrongCredentialsMs ? known : undefined;
  };
  return {
    inTurn: createTurns(API_LIMITS.unknownAtOnce, API_LIMITS.unknownWaitMs),
    /** False for a while after too many wrong credentials from its network. */
    mayAsk: (ip: Ip): boolean => {
      const known = recent(prefixOf(ip, settings.ipv6Prefix));
      return known === undefined || known.count < API_LIMITS.wrongCredentials;
    },
    wasWrong: (ip: Ip): void => {
      const network = prefixOf(ip, settings.ipv6Prefix);
      const known = recent(network);
      if (known !== undefined) known.count += 1;
      else wrong.set(network, { since: clock.now(), count: 1 });
    },
  };
}

function keyOf(secret: string, ip: Ip): string {
  return `${digestOf(secret)} ${ip}`;
}
