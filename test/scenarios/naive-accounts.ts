import type { Decision } from "../../src/core/decide/decision.ts";
import type { AccountFacts, Facts, SprayingFacts, TriedPassword } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { ClientEvent } from "../../src/core/events/event.ts";
import { isAdministrators } from "../../src/core/events/event-types.ts";
import { contains, networkAddress, overlaps, type Prefix } from "../../src/core/net/ip.ts";
import { DAY_MS, MINUTE_MS, type Millis } from "../../src/core/time.ts";
import type { Changed } from "./naive-recount.ts";

/** The oracle's recount for accounts. */

type SignIn = Readonly<{ prefix: Prefix; account: string; passwordHash: string; at: Millis }>;
type Login = Readonly<{ login: string; subject: Prefix; network: Prefix }>;
type Past = Readonly<{ changes: readonly Changed[]; unanswered: readonly Unanswered[] }>;
type Tried = Readonly<{ account: string; network: Prefix; passwordHash: string; isStale: boolean }>;

/** A password that was sent to verification and has no report yet. */
export type Unanswered = Omit<Tried, "isStale"> &
  Readonly<{ at: Millis; subject: Prefix; isStrange: boolean; looksWrong: boolean; isFirst: boolean }>;

export function signInsIn(changes: readonly Changed[], since: number): readonly SignIn[] {
  return changes.flatMap(({ change, at }) =>
    change.type === "KNOW" && at > since ? [{ ...change, at, account: change.account.toLowerCase() }] : [],
  );
}

/** The facts by which only a login is decided. */
export function loginFactsOf(
  policy: Policy,
  past: Past,
  { event, subject, network }: Readonly<{ event: ClientEvent; subject: Prefix; network: Prefix }>,
  at: Millis,
): Pick<Facts, "knownAccounts" | "account" | "spraying" | "pending"> {
  const known = signInsIn(past.changes, at - policy.accounts.knownForMs).filter(({ prefix }) => prefix === subject);
  const isLogin = "login" in event;
  return {
    knownAccounts: [...new Set(known.map(({ account }) => account))],
    account:
      isLogin && !isAdministrators(event.service, event.login)
        ? accountFactsOf(policy, past, { login: event.login, subject, network }, at)
        : null,
    spraying: sprayingOf(policy, past, at),
    pending: pendingFrom(past.unanswered, subject, at),
  };
}

function accountFactsOf(
  policy: Policy,
  { changes, unanswered }: Past,
  { login, subject, network }: Login,
  at: Millis,
): AccountFacts {
  const name = login.toLowerCase();
  const { accounts, networks } = policy;
  const known = signInsIn(changes, at - accounts.knownForMs).filter(({ account }) => account === name);
  const isNear = known.some(({ prefix }) => overlaps(prefix, network));
  const isHere = known.some(({ prefix }) => contains(prefix, networkAddress(subject)));
  const kinship = isHere ? "address" : isNear ? "network" : "stranger";
  const waiting = unanswered.filter((one) => at - one.at < MINUTE_MS && one.isStrange);

  const tried = [...guessesIn(changes, at - accounts.windowMs, at), ...waiting].filter(
    ({ account }) => account === name,
  );
  // A password without a hash differs from all others.
  const counted = tried
    .filter((guess) => kinship === "stranger" || guess.network === network)
    .map((guess, i) => (guess.passwordHash === "" ? { ...guess, passwordHash: `unknown ${i}` } : guess));
  // Each password counts for one network, and each network for at most a quarter of the limit.
  const passwords = [...new Set(counted.map(({ passwordHash }) => passwordHash))];
  const networksOf = passwords.map(
    (password) => counted.flatMap((guess) => (guess.passwordHash === password ? [guess.network] : [])).toSorted()[0],
  );
  const share = kinship === "stranger" ? Math.ceil(accounts.failures / 4) : accounts.failures;
  const capped = networksOf.filter(
    (each, i) => networksOf.slice(0, i).filter((other) => other === each).length < share,
  );
  const different = kinship === "address" ? 0 : capped.length;

  const ofDay = guessesIn(changes, at - DAY_MS, at);
  const here = [...ofDay, ...waiting.filter(({ looksWrong }) => looksWrong)].filter((one) => one.network === network);
  const mine = kinship === "stranger" ? here : here.filter(({ account }) => account === name);
  const spent = ofDay.filter(({ account }) => account === name);
  // Each network has 25 of the budget; anything above that comes out of the quarter that all networks share.
  const own = Math.ceil(accounts.candidates / 25);
  const spentBy = (from: Prefix): number => spent.filter((one) => one.network === from).length;
  const each = [...new Set(spent.map((one) => one.network))].map(spentBy);
  const more = each.reduce((sum, count) => sum + Math.max(0, count - own), 0);
  const common = Math.min(Math.ceil(accounts.candidates / 4), more);
  return {
    name,
    kinship,
    guesses: Math.min(accounts.failures, different),
    passwordHashes: passwordHashesOf(known),
    candidates: Math.min(accounts.candidates, common + each.reduce((sum, count) => sum + Math.min(own, count), 0)),
    networkCandidates: Math.min(own, spentBy(network)),
    commonCandidates: common,
    networkGuesses: Math.min(networks.perDay, new Set(mine.map(passwordOf)).size),
  };
}

/** A place remembers the last password of each account, and at most eight different ones are compared. */
function passwordHashesOf(known: readonly SignIn[]): readonly string[] {
  const lastOf = new Map<Prefix, SignIn>();
  for (const one of known) {
    lastOf.delete(one.prefix);
    lastOf.set(one.prefix, one);
  }
  const latest = [...lastOf.values()].toReversed().map(({ passwordHash }) => passwordHash);
  return [...new Set(latest.filter((passwordHash) => passwordHash !== ""))].slice(0, 8);
}

function sprayingOf({ spraying }: Policy, { changes, unanswered }: Past, at: Millis): SprayingFacts {
  const waiting = unanswered.filter((one) => at - one.at < MINUTE_MS && one.isStrange && one.looksWrong);
  const wrong = guessesIn(changes, at - spraying.windowMs, at).filter(({ isStale }) => !isStale);
  const tried = [...wrong, ...waiting];
  return {
    guesses: Math.min(spraying.guesses, new Set(tried.map(passwordOf)).size),
    networks: Math.min(8, new Set(tried.map(({ network }) => network)).size),
  };
}

/** The passwords that are pending after the event, from their question to their report. */
export function unansweredAfter(
  unanswered: readonly Unanswered[],
  event: ClientEvent,
  { verdict }: Decision,
  { at, account, prefix: subject, network }: Pick<Facts, "account" | "prefix" | "network"> & { readonly at: Millis },
): readonly Unanswered[] {
  if (!("login" in event) || account === null) return unanswered;
  const { passwordHash } = event;
  if (event.type !== "LOGIN_ASKED") {
    const answered = unanswered.findIndex(
      (one) => one.account === account.name && one.passwordHash === passwordHash && one.network === network,
    );
    return unanswered.filter((_, i) => i !== answered);
  }
  if (verdict === "refuse") return unanswered;
  const waiting = unanswered.filter((one) => at - one.at < MINUTE_MS);
  const others = waiting.filter((one) => one.account === account.name && one.passwordHash !== passwordHash);
  const isFirst =
    account.passwordHashes.length === 0 && others.length === 0 && waiting.filter((one) => one.isFirst).length < 8;
  const looksWrong = !isFirst && !account.passwordHashes.includes(passwordHash);
  const isStrange = account.kinship !== "address";
  return [...unanswered, { at, account: account.name, passwordHash, network, subject, isStrange, looksWrong, isFirst }];
}

function pendingFrom(unanswered: readonly Unanswered[], subject: Prefix, at: Millis): readonly TriedPassword[] {
  return unanswered.filter((one) => at - one.at < MINUTE_MS && one.looksWrong && one.subject === subject);
}

/** Each password counts from its last try, but not while that is in the future because the clock was set back. */
export function guessesIn(changes: readonly Changed[], since: number, until: number): readonly Tried[] {
  const lastOf = new Map<string, Readonly<{ tried: Tried; at: Millis }>>();
  for (const { change, at } of changes)
    if (change.type === "GUESS") lastOf.set(`${passwordOf(change)} ${change.network}`, { tried: change, at });
  return [...lastOf.values()].flatMap(({ tried, at }) => (at > since && at <= until ? [tried] : []));
}

export function passwordOf({ account, passwordHash }: Pick<Tried, "account" | "passwordHash">): string {
  return JSON.stringify([account, passwordHash]);
}
