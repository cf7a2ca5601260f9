import { isMailboxUser } from "../../admin/declare/rights.ts";
import type { Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, GUESSED_FOR_MS, GUESSING_WINDOW_MS, SPREAD_FACTOR } from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { isAdministrators } from "../../core/events/event-types.ts";
import { LOOPBACK, neighbourhoodOf, networkAddress, overlaps, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, formatDuration, HOUR_MS, type Millis } from "../../core/time.ts";
import { TimedConditions } from "./book.ts";

/** Networks with recent failures; the network whose last failure is oldest is dropped first. */
const MOST_NETWORKS = 10_000;
/** The latest accounts at which one network failed. */
const MOST_TRIED = 16;
const MOST_REFUSED = 2_000;
const MOST_NAMED = 3;
const MOST_ACCOUNTS = 50;
const SMALLEST_V6 = 48;

type Tried = Readonly<{ account: string; prefix: Prefix; at: Millis }>;

/**
 * Finds suspicious sign-ins: from an address, or a network new to the account, that failed at other accounts within a day;
 * or from a network where the account never signed in. One alert a day for each account. A failure from an address that
 * the account knows is a typing error and does not count.
 */
export class Hits {
  readonly #tried = new BoundedMap<Prefix, readonly Tried[]>(MOST_NETWORKS);
  /** The last refusal without a check at each account. */
  readonly #refused = new BoundedMap<string, Millis>(MOST_REFUSED);
  readonly #reported = new TimedConditions(GUESSED_FOR_MS, MOST_ACCOUNTS);

  take(event: AlertEvent): void {
    const { type, prefix, service } = event;
    const account = event.account?.toLowerCase() ?? "";
    if (account === "" || isAdministrators(service, account)) return;
    switch (type) {
      case "LOGIN_REFUSED":
        if (event.reason === "banned") return;
        this.#refused.set(account, event.at);
        if (prefix !== null && event.isNewPlace) this.#failed(account, prefix, event.at);
        return;
      case "LOGIN_FAILED":
        if (prefix !== null && event.isNewPlace) this.#failed(account, prefix, event.at);
        return;
      case "LOGIN_SUCCEEDED":
        if (prefix !== null) this.#succeeded(account, prefix, event);
        return;
      case "PASSWORD_CHANGED":
      case "ACCOUNT_SUSPENDED":
      case "ACCOUNT_REMOVED":
        if (!isDecidedByOwner(event)) return;
        for (const code of ["login_after_guesses", "login_new_place"] as const)
          this.#reported.delete({ code, subject: account }, event.at);
        return;
      default:
    }
  }

  remember(holding: Holding, at: Millis): void {
    this.#reported.set(holding, at);
  }

  holding(now: Millis): readonly Holding[] {
    return this.#reported.holding(now);
  }

  #failed(account: string, prefix: Prefix, at: Millis): void {
    const network = networkOf(prefix);
    const others = (this.#tried.get(network) ?? []).filter((one) => one.account !== account || one.prefix !== prefix);
    this.#tried.set(network, [...others, { account, prefix, at }].slice(-MOST_TRIED));
  }

  #succeeded(account: string, prefix: Prefix, { at, isNewPlace, isNewNetwork, isFirst }: AlertEvent): void {
    // Sign-ins from loopback do not make a place known.
    if (!isNewPlace || LOOPBACK.some((own) => overlaps(own, prefix))) return;
    const tried = (this.#tried.get(networkOf(prefix)) ?? []).filter(
      (one) => one.account !== account && one.at > at - DAY_MS,
    );
    const fromHere = tried.filter((one) => one.prefix === prefix);
    const suspicious = fromHere.length > 0 || !isNewNetwork ? fromHere : tried;
    if (suspicious.length > 0) {
      const names = [...new Set(suspicious.map((one) => one.account))];
      const others = names.length > MOST_NAMED ? " and others" : "";
      const where = fromHere.length > 0 ? prefix : networkOf(prefix);
      const detail = `${account} signed in from ${prefix}; within a day, sign-ins from ${where} failed at ${names.slice(-MOST_NAMED).join(", ")}${others}`;
      this.#reported.set({ code: "login_after_guesses", subject: account, detail }, at);
    } else if (isNewNetwork && !isFirst) {
      const refusedAt = this.#refused.get(account);
      const context =
        refusedAt !== undefined && refusedAt > at - HOUR_MS ? ", while strangers guessed its password" : "";
      const detail = `${account} signed in from ${prefix}${context}`;
      this.#reported.set({ code: "login_new_place", subject: account, detail }, at);
    }
  }
}

/** A thief who has a mailbox's password can set another, which must not end the alerts about the theft. */
function isDecidedByOwner({ actor }: AlertEvent): boolean {
  return actor === null || !isMailboxUser(actor);
}

function networkOf(prefix: Prefix): Prefix {
  return neighbourhoodOf(networkAddress(prefix), SMALLEST_V6);
}

/**
 * Accounts whose wrong passwords are remembered, separately for those that have signed in and others. The least
 * recently used one is dropped.
 */
const MOST_KNOWN = 10_000;
const MOST_OTHERS = 2_000;

/**
 * Finds a right password after different wrong ones for the same account, from an address where it never signed in
 * before: after wrong ones from there, or after very many from anywhere. At a known address the owner may mistype: only
 * very many from there count.
 */
export class Guesses {
  readonly #found = new TimedConditions(GUESSED_FOR_MS);
  readonly #threshold: number;
  /** Separate, so that a flood of unknown names does not displace guesses at real accounts. */
  readonly #ofKnown = new BoundedMap<string, readonly AlertEvent[]>(MOST_KNOWN);
  readonly #ofOthers = new BoundedMap<string, readonly AlertEvent[]>(MOST_OTHERS);

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  take(event: AlertEvent): void {
    const account = event.account?.toLowerCase() ?? "";
    switch (event.type) {
      case "LOGIN_FAILED":
        if (account !== "") this.#failed(account, event);
        return;
      case "LOGIN_SUCCEEDED":
        this.#succeeded(account, event);
        return;
      case "PASSWORD_CHANGED":
      case "ACCOUNT_SUSPENDED":
      case "ACCOUNT_REMOVED":
        if (isDecidedByOwner(event)) this.#settle(account, event.at);
        return;
      default:
    }
  }

  remember(holding: Holding, at: Millis): void {
    this.#found.set(holding, at);
  }

  /** Holds for a day: the owner got an alert, and may know that it was legitimate. */
  holding(now: Millis): readonly Holding[] {
    return this.#found.holding(now);
  }

  #failed(account: string, event: AlertEvent): void {
    const others = this.#failuresOf(account).filter(
      ({ proof, prefix }) => proof !== event.proof || prefix !== event.prefix,
    );
    this.#forget(account);
    const all = event.isKnownAccount ? this.#ofKnown : this.#ofOthers;
    all.set(account, [...others, event].slice(-SPREAD_FACTOR * this.#threshold));
  }

  /** Failures before an account's first sign-in are stored with the others. */
  #failuresOf(account: string): readonly AlertEvent[] {
    return this.#ofKnown.get(account) ?? this.#ofOthers.get(account) ?? [];
  }

  #forget(account: string): void {
    this.#ofKnown.delete(account);
    this.#ofOthers.delete(account);
  }

  #succeeded(account: string, { at, prefix, isNewPlace }: AlertEvent): void {
    const failures = countable(this.#failuresOf(account).filter((one) => one.at > at - GUESSING_WINDOW_MS));
    const proofs = new Set(failures.map(({ proof }) => proof));
    if (proofs.size < this.#threshold) return;
    const many = SPREAD_FACTOR * this.#threshold;
    const fromHere = failures.filter((one) => one.prefix === prefix).length;
    const isGuessed = isNewPlace ? fromHere > 0 || failures.length >= many : fromHere >= many;
    if (!isGuessed) return;
    const detail = `${account} signed in from ${prefix ?? "?"} after ${proofs.size} different wrong passwords within ${formatDuration(GUESSING_WINDOW_MS)}`;
    this.remember({ code: "password_guessed", subject: account, detail }, at);
    this.#forget(account);
  }

  #settle(account: string, at: Millis): void {
    this.#found.delete({ code: "password_guessed", subject: account }, at);
    this.#forget(account);
  }
}

/** A failure from a log has no password hash. It may be the same password as a known one, so it does not count. */
function countable(failures: readonly AlertEvent[]): readonly AlertEvent[] {
  const proven = failures.filter(({ proof }) => proof !== null);
  return proven.length === 0 ? failures : proven;
}
