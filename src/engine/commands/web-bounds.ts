import { BoundedMap } from "../../core/bounded-map.ts";
import { countWithin } from "../../core/decide/windows.ts";
import { type Ip, isV4, type Prefix, parseIp, parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { HOUR_MS, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Command, CommandError } from "../../wire/control/control.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { History } from "../storage-ports.ts";

/**
 * Limits on what an attacker who controls the web program could do with its commands. They are far above normal use of
 * the dashboard and of scripts. Root has no such limits.
 */
export const WEB_LIMITS = {
  /** The widest network that the web may ban or allow. */
  widest: { v4: 24, v6: 48 },
  /** Bans, and changes of bans and of the allow list, within an hour. */
  changes: 500,
  /** Entries of the web on the allow list. */
  allowed: 50,
  /**
   * Addresses banned within an hour for failed sign-ins that the web reported. Strangers alone can cause so many:
   * further failures still count, and the sign-in is refused without a ban.
   */
  bannedSignIns: 100,
  /** Sign-ins to the dashboard that one address may try within a minute. Other addresses have their own limit. */
  signInsEach: 300,
  /** Successful sign-ins to the dashboard within a minute. Strangers cause none of these. */
  signIns: 3_000,
  /**
   * Addresses of administrators that the web may report within half an hour. Such an address is not banned during that
   * time.
   */
  administrators: 32,
} as const;
const SEEN_MS = 30 * MINUTE_MS;

/** `told`: so far above normal use that the owner is told. */
export type Overreach = Readonly<{ error: CommandError; told: boolean }>;

/** Counts the web's commands and says when a limit is reached. Its memory is bounded by the limits themselves. */
export class WebBounds {
  readonly #history: Pick<History, "allowed">;
  readonly #clock: Clock;
  readonly #changes = new Budget(WEB_LIMITS.changes, HOUR_MS);
  readonly #banned = new Budget(WEB_LIMITS.bannedSignIns, HOUR_MS);
  readonly #asked = new Shares(WEB_LIMITS.signInsEach, MINUTE_MS);
  readonly #succeeded = new Budget(WEB_LIMITS.signIns, MINUTE_MS);
  readonly #seen = new Map<Ip, Millis>();

  constructor(history: Pick<History, "allowed">, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** Null if the web may run the command now; it then counts. */
  refuses(command: Command): Overreach | null {
    const now = this.#clock.now();
    switch (command.verb) {
      case "allow_add":
        return tooWide(command.target) ?? this.#tooManyAllowed(command.target) ?? over(this.#changes.spend(now));
      case "ban":
        return tooWide(command.target) ?? over(this.#changes.spend(now));
      case "unban":
      case "allow_remove":
        return over(this.#changes.spend(now));
      case "dashboard_login":
        return command.success ? over(this.#succeeded.spend(now)) : null;
      case "admin_seen":
        return over(this.#sees(parseIp(command.ip), now));
      default:
        return null;
    }
  }

  /** Whether one more sign-in from this address is decided on at all. Other addresses keep their own share. */
  mayAsk(from: Prefix): boolean {
    return this.#asked.spend(from, this.#clock.now());
  }

  /** Whether failed sign-ins may still cause a ban. */
  mayBan(): boolean {
    return this.#banned.isLeft(this.#clock.now());
  }

  /** A failed sign-in that the web reported caused a ban. */
  banned(): void {
    this.#banned.spend(this.#clock.now());
  }

  #tooManyAllowed(target: string): Overreach | null {
    const own = this.#history.allowed().filter(({ by }) => by.startsWith("web:"));
    if (own.length < WEB_LIMITS.allowed || own.some(({ prefix }) => prefix === parsePrefix(target))) return null;
    const message = `The dashboard and the API have put ${plural(own.length, "entry", "entries")} on the allow list, which is as many as they may.`;
    return refused("failed", message, "Take one off, or use `allow add` on the server.");
  }

  #sees(ip: Ip | null, now: Millis): boolean {
    for (const [seen, at] of this.#seen) if (Math.abs(now - at) >= SEEN_MS) this.#seen.delete(seen);
    if (ip === null) return true;
    if (!this.#seen.has(ip) && this.#seen.size >= WEB_LIMITS.administrators) return false;
    this.#seen.set(ip, now);
    return true;
  }
}

/** So many within a sliding window. */
class Budget {
  readonly #most: number;
  readonly #windowMs: number;
  #spent: Millis[] = [];

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** If the clock was set back, later entries are forgotten. */
  isLeft(now: Millis): boolean {
    if ((this.#spent.at(-1) ?? now) > now) this.#spent = this.#spent.filter((at) => at <= now);
    return countWithin(this.#spent, this.#windowMs, now) < this.#most;
  }

  spend(now: Millis): boolean {
    if (!this.isLeft(now)) return false;
    this.#spent.push(now);
    if (this.#spent.length > 2 * this.#most) this.#spent = this.#spent.slice(-this.#most);
    return true;
  }
}

/** So many within a window for each address. Remembers the latest addresses. */
class Shares {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #spent = new BoundedMap<Prefix, { readonly since: Millis; count: number }>(LIMITS.cachedAddresses);

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  spend(from: Prefix, now: Millis): boolean {
    const known = this.#spent.get(from);
    const isOver = known === undefined || now < known.since || now - known.since >= this.#windowMs;
    const share = isOver ? { since: now, count: 0 } : known;
    this.#spent.set(from, share);
    if (share.count >= this.#most) return false;
    share.count++;
    return true;
  }
}

function tooWide(target: string): Overreach | null {
  const network: Prefix | null = parsePrefix(target);
  if (network === null) return null;
  const { v4, v6 } = WEB_LIMITS.widest;
  if (prefixLength(network) >= (isV4(network) ? v4 : v6)) return null;
  const message = `${network} is too wide for the dashboard and the API: they take networks down from /${v4}, and /${v6} of IPv6.`;
  return refused("usage", message, "Use the command line on the server.");
}

function over(isLeft: boolean): Overreach | null {
  if (isLeft) return null;
  const message = "The web asks for more than it may within this time.";
  const error: CommandError = { ok: false, kind: "failed", message, next: "Use the command line on the server." };
  return { error, told: true };
}

function refused(kind: CommandError["kind"], message: string, next: string): Overreach {
  return { error: { ok: false, kind, message, next }, told: false };
}
