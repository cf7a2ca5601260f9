import { isMailboxUser } from "../../admin/declare/rights.ts";
import {
  type AlertEvent,
  GUESSED_FOR_MS,
  GUESSING_WINDOW_MS,
  isOutsideNetworks,
  SPREAD_FACTOR,
} from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { type EventType, isAdministrators } from "../../core/events/event-types.ts";
import { LOOPBACK, neighbourhoodOf, networkAddress, overlaps, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, formatDuration, HOUR_MS, type Millis } from "../../core/time.ts";
import { ADMINISTRATOR } from "../access/callers.ts";
import { type AlertWindow, timedConditions } from "./alert-window.ts";

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
 * Finds suspicious sign-ins: from an address, or from a network new to the account, where sign-ins to other accounts failed within a day;
 * or from a network where the account never signed in. Each account has one alert a day. A failure from an address that the account knows
 * is a typing error and does not count. Nor does the same wrong password from elsewhere, because the device may have moved.
 */
export function hitWindow(): AlertWindow {
  const tried = new BoundedMap<Prefix, readonly Tried[]>(MOST_NETWORKS);
  /** The last refusal without a check at each account. */
  const refused = new BoundedMap<string, Millis>(MOST_REFUSED);
  /** When each wrong password last failed at a place that its account knows. */
  const stale = new BoundedMap<string, Millis>(MOST_REFUSED);
  const reported = timedConditions(GUESSED_FOR_MS, MOST_ACCOUNTS);
  const failed = (account: string, prefix: Prefix, at: Millis): void => {
    const network = networkOf(prefix);
    const others = (tried.get(network) ?? []).filter((one) => one.account !== account || one.prefix !== prefix);
    tried.set(network, [...others, { account, prefix, at }].slice(-MOST_TRIED));
  };
  const succeeded = (subject: string, prefix: Prefix, { at, isNewPlace, isNewNetwork, isFirst }: AlertEvent): void => {
    // Loopback is not a new place, although sign-ins from there do not make it known.
    if (!isNewPlace || LOOPBACK.some((own) => overlaps(own, prefix))) return;
    const nearby = (tried.get(networkOf(prefix)) ?? []).filter(
      ({ account, at: failedAt }) => account !== subject && failedAt > at - DAY_MS,
    );
    const fromHere = nearby.filter((one) => one.prefix === prefix);
    const suspicious = fromHere.length > 0 || !isNewNetwork ? fromHere : nearby;
    if (suspicious.length > 0) {
      const names = [...new Set(suspicious.map(({ account }) => account))];
      const others = names.length > MOST_NAMED ? " and others" : "";
      const where = fromHere.length > 0 ? prefix : networkOf(prefix);
      const detail = `${subject} signed in from ${prefix}; within a day, sign-ins from ${where} failed at ${names.slice(-MOST_NAMED).join(", ")}${others}`;
      reported.set({ code: "login_after_guesses", subject, detail }, at);
    } else if (isNewNetwork && !isFirst) {
      const refusedAt = refused.get(subject);
      const context =
        refusedAt !== undefined && refusedAt > at - HOUR_MS ? ", while strangers guessed its password" : "";
      reported.set({ code: "login_new_place", subject, detail: `${subject} signed in from ${prefix}${context}` }, at);
    }
  };
  return {
    take: (event) => {
      const { type, prefix, service, at } = event;
      const account = event.account?.toLowerCase() ?? "";
      if (account === "" || isAdministrators(service, account) || isOutsideNetworks(event)) return;
      if (type === "LOGIN_FAILED" || (type === "LOGIN_REFUSED" && event.reason !== "banned")) {
        if (type === "LOGIN_REFUSED") refused.set(account, at);
        const password = `${account} ${event.proof}`;
        const isStale = (stale.get(password) ?? Number.NEGATIVE_INFINITY) > at - DAY_MS;
        // A suspended account cannot make a new place known, so its device stays excused however often its address changes.
        const isExcused = !event.isNewPlace || (isStale && event.reason === "right_password_inactive");
        if (isExcused && event.proof !== null) stale.set(password, at);
        if (event.isNewPlace && !isStale && prefix !== null) failed(account, prefix, at);
      } else if (type === "LOGIN_SUCCEEDED" && prefix !== null) succeeded(account, prefix, event);
      else if (isSettled(event))
        for (const code of ["login_after_guesses", "login_new_place"] as const)
          reported.delete({ code, subject: account }, at);
    },
    remember: (open, at) => {
      if (open.code === "login_after_guesses") reported.set(open, at);
    },
    holding: reported.holding,
  };
}

const ENDS: readonly EventType[] = [
  "PASSWORD_CHANGED",
  "ADMIN_PASSWORD_CHANGED",
  "ACCOUNT_SUSPENDED",
  "ACCOUNT_REMOVED",
];

/** A thief who has a mailbox's password can set another, which must not end the alerts about the theft. */
function isSettled({ type, actor }: AlertEvent): boolean {
  return ENDS.includes(type) && (actor === null || !isMailboxUser(actor));
}

function networkOf(prefix: Prefix): Prefix {
  return neighbourhoodOf(networkAddress(prefix), SMALLEST_V6);
}

/**
 * Maximum accounts whose wrong passwords are remembered: those that exist or have signed in, and other names. The
 * least recently used one is dropped.
 */
const MOST_KNOWN = 10_000;
const MOST_OTHERS = 2_000;

/**
 * Finds a right password after several different wrong ones for the same account. At an address where the account never signed in,
 * one of them must be from there, or there must be very many from anywhere. At a known address there must be very many from there,
 * because the owner may mistype.
 */
export function guessWindow(threshold: number): AlertWindow {
  const found = timedConditions(GUESSED_FOR_MS);
  /** Separate, so that a flood of unknown names does not displace guesses at real accounts. */
  const ofKnown = new BoundedMap<string, readonly AlertEvent[]>(MOST_KNOWN);
  const ofOthers = new BoundedMap<string, readonly AlertEvent[]>(MOST_OTHERS);
  const many = SPREAD_FACTOR * threshold;
  /** Failures from before an account was created are stored with the other names. */
  const failuresOf = (account: string): readonly AlertEvent[] => ofKnown.get(account) ?? ofOthers.get(account) ?? [];
  const forget = (account: string): void => {
    ofKnown.delete(account);
    ofOthers.delete(account);
  };
  const failed = (account: string, event: AlertEvent): void => {
    const others = failuresOf(account).filter(({ proof, prefix }) => proof !== event.proof || prefix !== event.prefix);
    forget(account);
    (event.isKnownAccount ? ofKnown : ofOthers).set(account, [...others, event].slice(-many));
  };
  const succeeded = (account: string, { at, prefix, isNewPlace }: AlertEvent): void => {
    const failures = countable(failuresOf(account).filter((one) => one.at > at - GUESSING_WINDOW_MS));
    const proofs = new Set(failures.map(({ proof }) => proof));
    if (proofs.size < threshold) return;
    const fromHere = failures.filter((one) => one.prefix === prefix).length;
    const isGuessed = isNewPlace ? fromHere > 0 || failures.length >= many : fromHere >= many;
    if (!isGuessed) return;
    const detail = `${account} signed in from ${prefix ?? "?"} after ${proofs.size} different wrong passwords within ${formatDuration(GUESSING_WINDOW_MS)}`;
    found.set({ code: "password_guessed", subject: account, detail }, at);
    forget(account);
  };
  return {
    take: (event) => {
      const account = event.type === "ADMIN_PASSWORD_CHANGED" ? ADMINISTRATOR : (event.account?.toLowerCase() ?? "");
      if (event.type === "LOGIN_FAILED" && account !== "" && !isOutsideNetworks(event)) failed(account, event);
      else if (event.type === "LOGIN_SUCCEEDED") succeeded(account, event);
      else if (isSettled(event)) {
        found.delete({ code: "password_guessed", subject: account }, event.at);
        forget(account);
      }
    },
    remember: (open, at) => {
      if (open.code === "password_guessed") found.set(open, at);
    },
    // For a day only: the owner got an alert, and may know that the sign-in was legitimate.
    holding: found.holding,
  };
}

/** A failure from a log has no password hash. It may be the same password as a known one, so it does not count. */
function countable(failures: readonly AlertEvent[]): readonly AlertEvent[] {
  const proven = failures.filter(({ proof }) => proof !== null);
  return proven.length === 0 ? failures : proven;
}
