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
 * `down`: the caller is unknown, and the guard does not answer or fails (its disk is full). `too_many_wrong`: the caller is unknown,
 * and the guard was not asked, because the caller's network has sent too many wrong credentials.
 */
export type CallerLookup = Caller | "down" | "too_many_wrong" | null;

/** `usedAt`: the last use reported to the guard. */
type Remembered = Readonly<{ item: CallerItem; at: Millis; usedAt: Millis | null }>;
type Parts = Pick<ApiParts, "guard" | "clock" | "settings">;

export type Callers = ReturnType<typeof createCallers>;

/**
 * Identifies callers by asking the guard. Remembers an approval for `API_LIMITS.callerAgeMs`: an ended session or token may read
 * for that long, but the guard checks each command. Remembers a refusal only for the address that asked, so presenting a session at
 * an address where it is not valid does not end it.
 */
export function createCallers({ guard, clock, settings }: Parts) {
  const remembered = new BoundedMap<string, Remembered>(API_LIMITS.callers);
  /** When the guard refused, by digest and address; signed-out sessions by digest only. */
  const refused = new BoundedMap<string, Millis>(API_LIMITS.callers);
  /** Sessions that were signed out while the guard could not end them, by digest. */
  const ending = new BoundedMap<string, true>(API_LIMITS.callers);
  const asking = new Map<string, Promise<CallerLookup>>();
  const strangers = createStrangers({ clock, settings });

  function ask(secret: string, ip: Ip, isUse: boolean): Promise<CallerLookup> {
    const key = keyOf(secret, ip);
    const running = asking.get(`${key} ${isUse}`);
    if (running !== undefined) return running;
    const asked = isUse && remembered.get(key) === undefined ? askAsStranger(secret, ip) : askGuard(secret, ip, isUse);
    asking.set(`${key} ${isUse}`, asked);
    return asked.finally(() => asking.delete(`${key} ${isUse}`));
  }

  async function askAsStranger(secret: string, ip: Ip): Promise<CallerLookup> {
    if (!strangers.mayAsk(ip)) return "too_many_wrong";
    const found = await strangers.inTurn(async () =>
      strangers.mayAsk(ip) ? askGuard(secret, ip, true) : "too_many_wrong",
    );
    if (found === null) strangers.wasWrong(ip);
    return found === "no_turn" ? "down" : found;
  }

  async function askGuard(secret: string, ip: Ip, isUse: boolean): Promise<CallerLookup> {
    const key = keyOf(secret, ip);
    const before = remembered.get(key);
    const reply = await guard.ask({ as: secret, ip }, { verb: "caller", isUse });
    if (isRefused(secret, ip)) return null;
    const known = remembered.get(key);
    if (reply.ok) {
      // The caller may have given a proof while this question was pending.
      const isNewer = known !== undefined && known !== before;
      return confirm(secret, ip, isNewer ? known.item : reply.result.caller, isUse);
    }
    if (reply.kind !== "unreachable" && reply.denied !== undefined) {
      remembered.delete(key);
      refused.set(key, clock.now());
      return null;
    }
    if (known === undefined || ageOf(known.at) >= API_LIMITS.callerAgeWithoutGuardMs) return "down";
    return { ...known.item, secret };
  }

  /** Replaces the remembered answer by the guard's latest. `isUse`: counts as a use, as a sign-in and a proof do. */
  function confirm(secret: string, ip: Ip, item: CallerItem, isUse = true): Caller {
    const key = keyOf(secret, ip);
    const at = clock.now();
    remembered.set(key, { item, at, usedAt: isUse ? at : (remembered.get(key)?.usedAt ?? null) });
    return { ...item, secret };
  }

  function isRefused(secret: string, ip: Ip): boolean {
    const digest = digestOf(secret);
    if (ending.get(digest) === true) return true;
    const times = [refused.get(digest), refused.get(keyOf(secret, ip))];
    return times.some((at) => at !== undefined && ageOf(at) < API_LIMITS.wrongCredentialsMs);
  }

  /** A stream renews the approval but does not count as a use, so other requests are still reported to the guard. */
  function isFresh({ at, usedAt }: Remembered): boolean {
    return usedAt !== null && ageOf(usedAt) < NOTE_USE_MS && ageOf(at) < API_LIMITS.callerAgeMs;
  }

  function ageOf(at: Millis): number {
    return Math.abs(clock.now() - at);
  }

  return {
    confirm,
    /** Null if there is no valid credential. `secure`: the client used https. `isUse`: counts as a use; for an unknown caller always. */
    of: async (headers: Headers, ip: Ip, { secure = false, isUse = true } = {}): Promise<CallerLookup> => {
      const secret = secretOf(headers, secure);
      if (secret === null || isRefused(secret, ip)) return null;
      const known = remembered.get(keyOf(secret, ip));
      if (known !== undefined && isFresh(known)) return { ...known.item, secret };
      return ask(secret, ip, isUse || known === undefined);
    },
    /**
     * Whether the caller of an open stream is still valid. Does not prolong a session. While the guard does not answer, a stream
     * lasts as long as the caller's requests would be accepted.
     */
    stillHolds: async ({ secret }: Caller, ip: Ip): Promise<boolean> => {
      const found = await ask(secret, ip, false);
      return found !== null && found !== "down";
    },
    /** Signs out; pending answers cannot undo it. */
    end: ({ secret }: Caller, ip: Ip): void => {
      remembered.delete(keyOf(secret, ip));
      refused.set(digestOf(secret), clock.now());
    },
    /** Treats a session as signed out although the guard could not end it, and asks again until it has. */
    endLater: async ({ secret }: Caller, ip: Ip): Promise<void> => {
      const digest = digestOf(secret);
      ending.set(digest, true);
      while (ending.get(digest) === true) {
        await pause(API_LIMITS.endAgainMs, undefined, { ref: false });
        const reply = await guard.ask({ as: secret, ip }, { verb: "sign_out" });
        if (!reply.ok && (reply.kind === "unreachable" || reply.denied === undefined)) continue;
        refused.set(digest, clock.now());
        ending.delete(digest);
      }
    },
  };
}

/** Limits questions about unknown credentials: strangers can make up any number, and the guard has mail to decide on. */
function createStrangers({ clock, settings }: Pick<Parts, "clock" | "settings">) {
  const wrong = new BoundedMap<Prefix, { readonly since: Millis; count: number }>(API_LIMITS.callers);
  const recent = (network: Prefix) => {
    const known = wrong.get(network);
    const age = known === undefined ? 0 : Math.abs(clock.now() - known.since);
    return age < API_LIMITS.wrongCredentialsMs ? known : undefined;
  };
  return {
    inTurn: createTurns(API_LIMITS.unknownAtOnce, API_LIMITS.unknownWaitMs),
    /** False for a while after too many wrong credentials from its network. */
    mayAsk: (ip: Ip): boolean => (recent(prefixOf(ip, settings.ipv6Prefix))?.count ?? 0) < API_LIMITS.wrongCredentials,
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
