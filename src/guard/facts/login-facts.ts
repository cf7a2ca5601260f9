import {
  candidatesShare,
  commonShare,
  countGuesses,
  type Guess,
  guessedName,
  networkShare,
  type Shares,
} from "../../core/decide/account-guard.ts";
import type { Decision } from "../../core/decide/decision.ts";
import type { AccountFacts, Facts, PendingPassword, SprayingFacts, TriedPassword } from "../../core/decide/facts.ts";
import { SPRAYING_NETWORKS } from "../../core/decide/new-places.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { type ClientEvent, isLogin } from "../../core/events/event.ts";
import { isAdministrators } from "../../core/events/event-types.ts";
import type { Login, LoginAsked } from "../../core/events/login.ts";
import { contains, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type { AccountGuess, AccountHistory } from "../storage-ports.ts";
import type { PendingPasswords } from "./pending-logins.ts";

/** Where a login comes from: the prefix of the address, and the network with its neighbours. */
type SignInOrigin = Readonly<{ prefix: Prefix; network: Prefix }>;

/** Maximum latest guesses that are read, as a multiple of the limit, so that a flood does not cost more. */
const LOOKED_AT = 20;
/** Maximum latest guesses that are read for all accounts: enough to detect spraying. */
const LOOKED_AT_ALL = 2_000;
/** Maximum different passwords of an account's latest sign-ins. */
const MOST_PASSWORD_HASHES = 8;

/**
 * Facts about accounts. Everything is read from the database, because logins are rare and slow anyway. Only passwords in
 * verification are kept in memory.
 */
export class LoginFacts {
  readonly #history: AccountHistory;
  readonly #pending: PendingPasswords;

  constructor(history: AccountHistory, pending: PendingPasswords) {
    this.#history = history;
    this.#pending = pending;
  }

  facts(policy: Policy, event: Login, origin: SignInOrigin, now: Millis): AccountFacts | null {
    if (isAdministrators(event.service, event.login)) return null;
    const name = nameOf(event);
    const signIns = this.#history.signIns(name, later(now, -policy.accounts.knownForMs));
    const places = signIns.map(({ prefix }) => prefix);
    const kinship = kinshipOf(origin, places);
    const network = kinship === "network" ? origin.network : null;
    const known = [...this.#history.passwordHashes(name), ...signIns.map(({ passwordHash }) => passwordHash)];
    const passwordHashes = new Set(known.filter((passwordHash) => passwordHash !== ""));
    const day = { since: later(now, -DAY_MS), until: now };
    const { candidates: budget } = policy.accounts;
    const [share, common] = [candidatesShare(policy), commonShare(policy)];
    let shares: Shares | null = null;
    const tried = (): Shares => (shares ??= history.candidates(guessed, { ...day, share }));
    const ofNetwork = (): number => this.#networkGuesses(policy, { name, kinship }, origin.network, now);
    const history = this.#history;
    const guessed = guessedName(name);
    return {
      name,
      kinship,
      guesses: kinship === "address" ? 0 : this.#guesses(policy, name, network, now),
      passwordHashes: [...passwordHashes].slice(0, MOST_PASSWORD_HASHES),
      get candidates() {
        const { within, beyond } = tried();
        return Math.min(budget, within + Math.min(common, beyond));
      },
      get commonCandidates() {
        return Math.min(common, tried().beyond);
      },
      get networkCandidates() {
        return history.guesses(guessed, { ...day, network: origin.network, most: share }).length;
      },
      get networkGuesses() {
        return ofNetwork();
      },
    };
  }

  /** Guesses at all accounts together. */
  spraying({ spraying }: Policy, now: Millis): SprayingFacts {
    const { guesses: limit, windowMs } = spraying;
    const passwords = new Set<string>();
    const networks = new Set<Prefix>();
    const found = (): SprayingFacts => ({
      guesses: Math.min(limit, passwords.size),
      networks: Math.min(SPRAYING_NETWORKS, networks.size),
    });
    const count = (one: AccountGuess): boolean => {
      passwords.add(keyOf(one));
      networks.add(one.network);
      return passwords.size >= limit && networks.size >= SPRAYING_NETWORKS;
    };
    for (const one of this.#pending.guesses(now)) if (count(one)) return found();
    const span = { since: later(now, -windowMs), until: now, most: LOOKED_AT_ALL };
    for (const one of this.#history.guessesSince(span)) if (count(one)) return found();
    return found();
  }

  pending({ prefix }: SignInOrigin, now: Millis): readonly TriedPassword[] {
    return this.#pending.from(prefix, now);
  }

  /** Pending passwords for the record of a sign-in that was refused without a check. Undefined if there are none. */
  recorded(event: LoginAsked, { network }: SignInOrigin, now: Millis): readonly PendingPassword[] | undefined {
    const all = this.#pending.about({ account: nameOf(event), network }, now);
    return all.length === 0 ? undefined : all;
  }

  /** A password is pending from the question to the report. */
  update(event: ClientEvent, { verdict }: Decision, facts: SignInOrigin & Pick<Facts, "account">, now: Millis): void {
    if (!isLogin(event) || isAdministrators(event.service, event.login)) return;
    if (event.type !== "LOGIN_ASKED") this.reported(event, facts);
    else if (verdict !== "refuse" && facts.account !== null) this.#passed(event, facts.account, facts, now);
  }

  #passed(
    event: LoginAsked,
    { kinship, passwordHashes }: AccountFacts,
    { prefix, network }: SignInOrigin,
    now: Millis,
  ): void {
    const account = nameOf(event);
    const passwordHash = event.passwordHash;
    // If the account has not signed in recently, one of its pending passwords may be right.
    const isFirst =
      passwordHashes.length === 0 &&
      this.#pending.at(account, now).every((other) => other.passwordHash === passwordHash) &&
      !this.#pending.hasManyFirst(now);
    const looksWrong = !isFirst && !passwordHashes.includes(passwordHash);
    const isStrange = kinship !== "address";
    this.#pending.passed({ at: now, account, passwordHash, network, subject: prefix, isStrange, looksWrong, isFirst });
  }

  reported(event: Login, { network }: SignInOrigin): void {
    this.#pending.reported({ account: nameOf(event), passwordHash: event.passwordHash, network });
  }

  #guesses(policy: Policy, name: string, network: Prefix | null, now: Millis): number {
    const pending = this.#pending
      .at(name, now)
      .filter((asked) => asked.isStrange && (network === null || asked.network === network));
    return guessesAt(this.#history, policy, { name, network, pending }, now);
  }

  #networkGuesses(
    { networks }: Policy,
    { name, kinship }: Pick<AccountFacts, "name" | "kinship">,
    network: Prefix,
    now: Millis,
  ): number {
    const most = networks.perDay;
    const span = { since: later(now, -DAY_MS), until: now, most };
    const isOwn = kinship !== "stranger";
    const tried = isOwn
      ? this.#history.guesses(guessedName(name), { ...span, network }).map((guess) => ({ ...guess, account: name }))
      : this.#history.guessesOf(network, span);
    const pending = [...this.#pending.guesses(now)].filter(
      (one) => one.network === network && (!isOwn || one.account === name),
    );
    return Math.min(most, new Set([...tried, ...pending].map(keyOf)).size);
  }
}

/** `network` null: guesses from anywhere. `pending`: passwords in verification. */
type GuessedFrom = Readonly<{ name: string; network: Prefix | null; pending: readonly Guess[] }>;

/** Different passwords that strangers tried at the account within its window, up to the limit from which it is guarded. */
export function guessesAt(
  history: Pick<AccountHistory, "guesses">,
  policy: Policy,
  { name, network, pending }: GuessedFrom,
  now: Millis,
): number {
  const { failures: limit, windowMs } = policy.accounts;
  const reach = { network, since: later(now, -windowMs), until: now, most: LOOKED_AT * limit };
  const share = network === null ? networkShare(policy) : limit;
  return Math.min(limit, countGuesses([...history.guesses(guessedName(name), reach), ...pending], share));
}

function keyOf({ account, passwordHash }: AccountGuess): string {
  return `${guessedName(account)} ${passwordHash}`;
}

/** Dovecot compares names in lower case (auth_username_format). */
function nameOf({ login }: Login): string {
  return login.toLowerCase();
}

/** If a network contains something protected, its addresses are counted separately, but a sign-in from one makes all of them known. */
function kinshipOf({ prefix, network }: SignInOrigin, known: readonly Prefix[]): AccountFacts["kinship"] {
  const address = networkAddress(prefix);
  if (known.some((prefix) => contains(prefix, address))) return "address";
  return known.some((prefix) => contains(network, networkAddress(prefix))) ? "network" : "stranger";
}
