import type { LoginAttributes } from "../events/login.ts";
import type { Reason } from "../events/reasons.ts";
import { DAY_MS, type Millis, WEEK_MS } from "../time.ts";
import { candidatesShare, commonShare, looksRight } from "./account-guard.ts";
import type { Evidence } from "./decision.ts";
import type { Facts, FailedLogin, TriedPassword } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** When a password is refused before verification, and which passwords are verified anyway. */

/** Spraying comes from at least this many networks. */
export const SPRAYING_NETWORKS = 8;
const FAILURES = "limits.logins.failures";

/** Why passwords for the account are not verified here. */
export type Barred = Readonly<{ reason: Reason; evidence: Evidence }>;

/** Null: passwords are verified. */
export function barredBy(policy: Policy, facts: Facts, event: LoginAttributes, now: Millis): Barred | null {
  if (knowsAddress(facts)) return capped(policy, facts, event, now);
  return (
    guarded(policy, facts) ??
    ofGuessingNetwork(policy, facts) ??
    sprayed(policy, facts) ??
    (isKnownPlace(facts) ? atOthers(policy, facts, event, now) : ofGuessingAddress(policy, facts, event, now))
  );
}

/**
 * Whether the password looks like one of a recent sign-in. In a new place, neither the account's budget nor the network's part of it may be
 * used up. The hash has 12 bits, and up to eight hashes are compared: one wrong password in 4,096 looks right, or one in 512 if there are
 * eight. A right password among these never looks wrong.
 */
export function mayBeRight(policy: Policy, facts: Facts, { passwordHash }: LoginAttributes): boolean {
  const { account } = facts;
  if (account === null || !looksRight(facts, passwordHash)) return false;
  // A budget at home would let a guesser behind the same address lock out the owner's device.
  if (knowsAddress(facts)) return true;
  const hasShare =
    account.networkCandidates < candidatesShare(policy) || account.commonCandidates < commonShare(policy);
  return hasShare && account.candidates < policy.accounts.candidates;
}

export function knowsAddress({ account }: Facts): boolean {
  return account?.kinship === "address";
}

export function isKnownPlace(facts: Facts): boolean {
  return knowsAddress(facts) || facts.knownAccounts.length > 0;
}

export function failuresWithin(
  failures: readonly FailedLogin[],
  windowMs: number,
  now: Millis,
): readonly FailedLogin[] {
  const start = now - windowMs;
  return failures.filter(({ at }) => at > start);
}

/** Protects an account from guessing that is spread over many addresses, each within its own limit. */
function guarded({ accounts }: Policy, { account }: Facts): Barred | null {
  if (account === null || account.guesses < accounts.failures) return null;
  const { failures: limit, windowMs } = accounts;
  return barred("account_guarded", { count: account.guesses, limit, windowMs, key: "limits.accounts.failures" });
}

/** Applies even if the network is spared from a ban. */
function ofGuessingNetwork(policy: Policy, facts: Facts): Barred | null {
  const evidence = networkGuesses(policy, facts);
  return evidence === null ? null : barred("network_guesses_refused", evidence);
}

/** Applies to programs on this machine, because they are trusted without anyone having decided so, unlike an allow-listed address. */
export function barredHere(policy: Policy, facts: Facts): Barred | null {
  const evidence = facts.protection === "loopback" ? networkGuesses(policy, facts) : null;
  return evidence === null ? null : barred("local_guesses_refused", evidence);
}

function networkGuesses({ networks }: Policy, { account }: Facts): Evidence | null {
  if (account === null || account.networkGuesses < networks.perDay) return null;
  const { networkGuesses: count } = account;
  return { count, limit: networks.perDay, windowMs: DAY_MS, key: "limits.networks.per_day" };
}

/** Detects an attacker who tries one password for each account, each from another address: only the sum over all accounts shows it. */
function sprayed({ spraying }: Policy, { account, spraying: seen }: Facts): Barred | null {
  if (account?.kinship !== "stranger") return null;
  if (seen.guesses < spraying.guesses || seen.networks < SPRAYING_NETWORKS) return null;
  const { guesses: limit, windowMs } = spraying;
  return barred("spraying", { count: seen.guesses, limit, windowMs, key: "limits.spraying.guesses" });
}

/** The owner may mistype often, but another client behind the same address must not guess without end. */
function capped({ logins }: Policy, facts: Facts, event: LoginAttributes, now: Millis): Barred | null {
  const name = facts.account?.name ?? "";
  const count = passwordsOf(triedWithinDay(facts, event, now).filter(({ account }) => account === name)).size;
  const limit = logins.knownPerDay;
  if (count < limit) return null;
  return barred("known_address_capped", { count, limit, windowMs: DAY_MS, key: "limits.logins.known_per_day" });
}

/** Protects other accounts. The account that knows the address is not refused: its owner may be behind the same address. */
function atOthers({ logins, knownFactor }: Policy, facts: Facts, event: LoginAttributes, now: Millis): Barred | null {
  const tried = triedWithinDay(facts, event, now).filter(({ account }) => !facts.knownAccounts.includes(account));
  const count = passwordsOf(tried).size;
  const limit = logins.failures * knownFactor;
  if (count < limit) return null;
  return barred("known_address_at_others", { count, limit, windowMs: DAY_MS, key: FAILURES });
}

function triedWithinDay(facts: Facts, event: LoginAttributes, now: Millis): readonly (FailedLogin | TriedPassword)[] {
  return [...failuresWithin(facts.failures, DAY_MS, now), ...others(facts, event)];
}

/** Passwords that are being verified count too, so guessing in parallel gets no further than guessing in sequence. */
function ofGuessingAddress({ logins }: Policy, facts: Facts, event: LoginAttributes, now: Millis): Barred | null {
  const failed = new Set(failuresWithin(facts.failures, WEEK_MS, now).map(({ passwordHash }) => passwordHash));
  const pending = passwordsOf(others(facts, event).filter(({ passwordHash }) => !failed.has(passwordHash))).size;
  const count = failuresWithin(facts.failures, logins.windowMs, now).filter(isFresh).length;
  if (count < logins.failures && count + pending >= logins.failures) {
    const { failures: limit, windowMs } = logins;
    return barred("pending_guesses", { count: count + pending, limit, windowMs, key: FAILURES });
  }
  const evidence = slowLimits({ logins }).find(({ limit, windowMs }) => {
    const tried = failuresWithin(facts.failures, windowMs, now);
    // After a ban, one more password is verified before the next ban. Spared addresses have failures without a ban.
    return tried.length + pending >= limit && (pending > 0 || tried.some(isFresh));
  });
  if (evidence === undefined) return null;
  const tried = failuresWithin(facts.failures, evidence.windowMs, now).length;
  return barred("slow_guessing", { ...evidence, count: tried + pending });
}

/** The limits of an address for a day and a week. */
export function slowLimits({ logins }: Pick<Policy, "logins">): readonly Omit<Evidence, "count">[] {
  return [
    { limit: logins.perDay, windowMs: DAY_MS, key: "limits.logins.per_day" },
    { limit: logins.perWeek, windowMs: WEEK_MS, key: "limits.logins.per_week" },
  ];
}

/** Whether no ban followed the failure. */
export function isFresh({ spent: isSpent }: FailedLogin): boolean {
  return isSpent !== true;
}

/** Passwords that are being verified, except the one of this event. */
function others({ pending }: Facts, { login, passwordHash }: LoginAttributes): readonly TriedPassword[] {
  const name = login.toLowerCase();
  return pending.filter((one) => one.passwordHash !== passwordHash || one.account !== name);
}

/** Different passwords. Unknown hashes count as different. */
function passwordsOf(tried: readonly (TriedPassword | FailedLogin)[]): ReadonlySet<string> {
  return new Set(
    tried.map(({ account, passwordHash }, i) => (passwordHash === "" ? `unknown ${i}` : `${account} ${passwordHash}`)),
  );
}

function barred(reason: Reason, evidence: Evidence): Barred {
  return { reason, evidence };
}
