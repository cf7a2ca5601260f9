import { BoundedMap } from "../../core/bounded-map.ts";
import { countGuesses, type Guess, networkShare } from "../../core/decide/account-guard.ts";
import type { AccountFacts } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import { contains, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { later, type Millis, SECOND_MS } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountHistory } from "../storage-ports.ts";

/** Where a login comes from: the unit of the address, and the network with its neighbours. */
export type SignInOrigin = Readonly<{ subject: Prefix; network: Prefix }>;
type Login = LoginAsked | LoginSucceeded | LoginFailed;
type PendingLogin = Guess & Readonly<{ at: Millis }>;

/** Longer than Dovecot takes to verify a password and report it, even with a long queue. */
const UNANSWERED_MS = 60 * SECOND_MS;
/** At most this many times the limit of the latest guesses are read, so that a flood does not cost more. */
const LOOKED_AT = 20;

/**
 * Facts about accounts. Everything is read from the database, because logins are rare and slow anyway. Only logins in
 * flight are kept in memory: five hundred passwords may be in verification before the first is reported wrong. A
 * restart forgets these.
 */
export class AccountCache {
  readonly #history: AccountHistory;
  readonly #pending = new BoundedMap<string, readonly PendingLogin[]>(LIMITS.cachedAccounts);

  constructor(history: AccountHistory) {
    this.#history = history;
  }

  facts(policy: Policy, event: Login, origin: SignInOrigin, now: Millis): AccountFacts | null {
    if (event.service === "dashboard") return null;
    const name = nameOf(event);
    const { failures: limit, windowMs, knownForMs } = policy.accounts;
    const signIns = this.#history.signIns(name, later(now, -knownForMs));
    const kinship = kinshipOf(
      origin,
      signIns.map(({ prefix }) => prefix),
    );
    const network = kinship === "network" ? origin.network : null;
    const reach = { network, since: later(now, -windowMs), most: LOOKED_AT * limit };
    const tried = kinship === "address" ? [] : this.#history.guesses(name, reach);
    const pending = this.#pendingLogins(name, now).filter((login) => network === null || login.network === network);
    const share = network === null ? networkShare(policy) : limit;
    const lastProof = signIns.find(({ proof }) => proof !== "")?.proof ?? "";
    return { name, kinship, guesses: Math.min(limit, countGuesses([...tried, ...pending], share)), lastProof };
  }

  /** The password goes to verification. A report will follow. */
  passed(event: LoginAsked, { network }: SignInOrigin, now: Millis): void {
    const name = nameOf(event);
    const pending = [...this.#pendingLogins(name, now), { at: now, proof: event.passwordHash, network }];
    this.#pending.set(name, pending.slice(-LIMITS.pendingLoginsPerAccount));
  }

  reported(event: LoginSucceeded | LoginFailed, { network }: SignInOrigin): void {
    const name = nameOf(event);
    const pending = this.#pending.get(name);
    if (pending === undefined) return;
    const at = pending.findIndex((one) => one.proof === event.passwordHash && one.network === network);
    if (at < 0) return;
    if (pending.length === 1) this.#pending.delete(name);
    else this.#pending.set(name, pending.toSpliced(at, 1));
  }

  /** Drops entries that lie ahead, so that a clock set back does not keep a login pending forever. */
  #pendingLogins(name: string, now: Millis): readonly PendingLogin[] {
    return (this.#pending.get(name) ?? []).filter(({ at }) => Math.abs(now - at) < UNANSWERED_MS);
  }
}

/** Dovecot compares names in lower case (auth_username_format). */
function nameOf({ login }: Login): string {
  return login.toLowerCase();
}

function kinshipOf({ subject, network }: SignInOrigin, known: readonly Prefix[]): AccountFacts["kinship"] {
  if (known.includes(subject)) return "address";
  return known.some((prefix) => contains(network, networkAddress(prefix))) ? "network" : "stranger";
}
