import type { LoginFacts } from "../events/login.ts";
import type { Reason } from "../events/reasons.ts";
import { isV4, networkAddress, type Prefix, prefixOf } from "../net/ip.ts";
import { DAY_MS, type Millis, WEEK_MS } from "../time.ts";
import type { Evidence } from "./decision.ts";
import type { Facts, Failure, Verified } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** Where a password is refused before it is verified, and which one is verified all the same. */

/** Guesses out of so many networks are no longer those of a few: only then the server is sprayed. */
export const SPRAYING_NETWORKS = 8;
/** The site of an attacker with IPv6 is as large as this; its parts are no different networks. */
const SPRAYING_IPV6 = 32;
const FAILURES = "limits.logins.failures";

export type PlaceFacts = Pick<Facts, "failures" | "underWay" | "knownAccounts" | "account" | "spraying">;

/** Why nobody is heard at this account from here. */
export type Barred = Readonly<{ reason: Reason; evidence: Evidence }>;

/** Null: passwords are verified. */
export function barredBy(policy: Policy, facts: PlaceFacts, event: LoginFacts, now: Millis): Barred | null {
  if (isHome(facts)) return capped(policy, facts, event, now);
  return (
    guarded(policy, facts) ??
    ofGuessingNetwork(policy, facts) ??
    sprayed(policy, facts) ??
    (isKnownPlace(facts) ? atOthers(policy, facts, event, now) : spent(policy, facts, event, now))
  );
}

/**
 * Whether the password is that of a sign-in of late, as far as its hash tells, and the account's budget for such is not
 * used up. The hash has 12 bits: one wrong password in 4,096 looks right, and no right one looks wrong.
 */
export function mayBeRight(policy: Policy, facts: PlaceFacts, { passwordHash }: LoginFacts, now: Millis): boolean {
  const { account } = facts;
  if (account === null || !looksRight(facts, passwordHash)) return false;
  const { candidates } = policy.accounts;
  if (!isHome(facts)) return account.candidates < candidates;
  return passwordsOf(failuresAt(facts, account.name, now)).size < candidates;
}

export function looksRight({ account }: Pick<Facts, "account">, passwordHash: string): boolean {
  return passwordHash !== "" && account !== null && account.proofs.includes(passwordHash);
}

/** The account knows the address. */
export function isHome({ account }: Pick<Facts, "account">): boolean {
  return account?.kinship === "address";
}

/** Some account knows the address. */
export function isKnownPlace(facts: Pick<Facts, "account" | "knownAccounts">): boolean {
  return isHome(facts) || facts.knownAccounts.length > 0;
}

export function within(failures: readonly Failure[], windowMs: number, now: Millis): readonly Failure[] {
  const start = now - windowMs;
  return failures.filter(({ at }) => at > start);
}

/** A network as spraying counts it. */
export function sprayingNetwork(network: Prefix): Prefix {
  return isV4(network) ? network : prefixOf(networkAddress(network), SPRAYING_IPV6);
}

/** Strangers guess at the account, spread over so many addresses that none goes over a limit of its own. */
function guarded({ accounts }: Policy, { account }: PlaceFacts): Barred | null {
  if (account === null || account.guesses < accounts.failures) return null;
  const { failures: limit, windowMs } = accounts;
  return barred("account_guarded", { count: account.guesses, limit, windowMs, key: "limits.accounts.failures" });
}

/** Nothing that spares the network from a ban spares it from this. */
function ofGuessingNetwork({ networks }: Policy, { account }: PlaceFacts): Barred | null {
  if (account === null) return null;
  const { networkGuesses: count } = account;
  if (count < networks.perDay) return null;
  const evidence = { count, limit: networks.perDay, windowMs: DAY_MS, key: "limits.networks.per_day" };
  return barred("network_guesses_refused", evidence);
}

/** One password for each account, from an address for each try: nothing less than all of it together shows it. */
function sprayed({ spraying }: Policy, { account, spraying: seen }: PlaceFacts): Barred | null {
  if (account?.kinship !== "stranger") return null;
  if (seen.guesses < spraying.guesses || seen.networks < SPRAYING_NETWORKS) return null;
  const { guesses: limit, windowMs } = spraying;
  return barred("spraying", { count: seen.guesses, limit, windowMs, key: "limits.spraying.guesses" });
}

/** The owner may mistype, slowly; but not for ever, lest somebody guess who shares the address. */
function capped({ logins }: Policy, facts: PlaceFacts, event: LoginFacts, now: Millis): Barred | null {
  const name = facts.account?.name ?? "";
  const tried = failuresAt(facts, name, now);
  const passwords = passwordsOf([...tried, ...others(facts, event).filter(({ account }) => account === name)]);
  const { size: count } = passwords;
  if (count < logins.knownPerDay) return null;
  const evidence = { count, limit: logins.knownPerDay, windowMs: DAY_MS, key: "limits.logins.known_per_day" };
  return barred("known_address_capped", evidence);
}

/** It guesses at accounts that do not know it; the one that does goes on, for its owner may be behind the same address. */
function atOthers({ logins, knownFactor }: Policy, facts: PlaceFacts, event: LoginFacts, now: Millis): Barred | null {
  const isOther = ({ account }: Verified | Failure): boolean => !facts.knownAccounts.includes(account);
  const tried = [...within(facts.failures, DAY_MS, now), ...others(facts, event)].filter(isOther);
  const evidence = {
    count: passwordsOf(tried).size,
    limit: logins.failures * knownFactor,
    windowMs: DAY_MS,
    key: FAILURES,
  };
  return evidence.count < evidence.limit ? null : barred("known_address_at_others", evidence);
}

/** What is being verified may be wrong too: a flood side by side gets no further than one password after the other. */
function spent({ logins }: Policy, facts: PlaceFacts, event: LoginFacts, now: Millis): Barred | null {
  const failed = new Set(within(facts.failures, WEEK_MS, now).map(({ passwordHash }) => passwordHash));
  const underWay = passwordsOf(others(facts, event).filter(({ proof }) => !failed.has(proof))).size;
  const count = within(facts.failures, logins.windowMs, now).filter(isFresh).length;
  if (underWay > 0 && count < logins.failures && count + underWay >= logins.failures) {
    const { failures: limit, windowMs } = logins;
    return barred("guesses_under_way", { count: count + underWay, limit, windowMs, key: FAILURES });
  }
  const evidence = slowLimits({ logins }).find(({ limit, windowMs }) => {
    const tried = within(facts.failures, windowMs, now);
    // After a ban one more is heard before the next; only who is never banned comes here with what no ban answered.
    return tried.length + underWay >= limit && (underWay > 0 || tried.some(isFresh));
  });
  if (evidence === undefined) return null;
  const tried = within(facts.failures, evidence.windowMs, now).length;
  return barred("slow_guessing", { ...evidence, count: tried + underWay });
}

/** How much an address may guess within a day and a week; `count` is still to be filled in. */
export function slowLimits({ logins }: Pick<Policy, "logins">): readonly Evidence[] {
  return [
    { count: 0, limit: logins.perDay, windowMs: DAY_MS, key: "limits.logins.per_day" },
    { count: 0, limit: logins.perWeek, windowMs: WEEK_MS, key: "limits.logins.per_week" },
  ];
}

/** No ban has answered it yet. */
export function isFresh({ spent: isSpent }: Failure): boolean {
  return isSpent !== true;
}

/** Under way, but for the password that is asked about. */
function others({ underWay, account }: PlaceFacts, { login, passwordHash }: LoginFacts): readonly Verified[] {
  const name = account?.name ?? login.toLowerCase();
  return underWay.filter((one) => one.proof !== passwordHash || one.account !== name);
}

function failuresAt({ failures }: PlaceFacts, name: string, now: Millis): readonly Failure[] {
  return within(failures, DAY_MS, now).filter(({ account }) => account === name);
}

/** Different ones. What cannot be told apart differs. */
function passwordsOf(tried: readonly (Verified | Failure)[]): ReadonlySet<string> {
  return new Set(
    tried.map((one, i) => {
      const proof = "proof" in one ? one.proof : one.passwordHash;
      return proof === "" ? `unknown ${i}` : `${one.account} ${proof}`;
    }),
  );
}

function barred(reason: Reason, evidence: Evidence): Barred {
  return { reason, evidence };
}
