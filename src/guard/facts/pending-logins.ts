import { BoundedMap } from "../../core/bounded-map.ts";
import type { PendingPassword, TriedPassword } from "../../core/decide/facts.ts";
import type { Login, LoginAsked, LoginFailed, LoginSucceeded } from "../../core/events/login.ts";
import type { AskedBefore } from "../../core/events/seen.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess } from "../storage-ports.ts";

/**
 * Logins in flight. The report of a login records when the guard was asked about it, so that a replay can ask at the
 * same moment. A replay does not ask about dropped entries.
 */
export class PendingLogins {
  readonly #pending = new BoundedMap<string, readonly AskedBefore[]>(LIMITS.pendingLogins);
  #count = 0;

  passed(event: LoginAsked, moment: Omit<AskedBefore, "nth">): void {
    const key = keyOf(event);
    const asked = this.#pending.get(key) ?? [];
    this.#pending.set(key, [...asked, { ...moment, nth: ++this.#count }].slice(-LIMITS.pendingLoginsPerAccount));
  }

  /** The oldest question that this report answers. */
  take(report: LoginSucceeded | LoginFailed): AskedBefore | undefined {
    const key = keyOf(report);
    const [first, ...others] = this.#pending.get(key) ?? [];
    if (others.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, others);
    return first;
  }
}

function keyOf({ ip, service, login, passwordHash }: Login): string {
  return `${ip} ${service} ${passwordHash} ${login}`;
}

/** Longer than Dovecot takes to verify a password and report it, even with a long queue. */
const UNANSWERED_MS = 60 * SECOND_MS;

/** Enough for a new team that signs in at the same time. With more, made-up names could hide a flood. */
const MOST_FIRST = 8;

/**
 * Passwords in verification. Five hundred may be in verification before the first is reported wrong. A restart forgets
 * them.
 */
export class PendingPasswords {
  readonly #ofAccounts = new BoundedMap<string, readonly PendingPassword[]>(LIMITS.pendingAccounts);

  /** Notes that the password is being verified. A report will follow. */
  passed(one: PendingPassword): void {
    const asked = [...this.at(one.account, one.at), one];
    this.#ofAccounts.set(one.account, asked.slice(-LIMITS.pendingLoginsPerAccount));
  }

  /** For a replay: adds recorded passwords. Those that never got a report are unknown to it, but affect how later ones look. */
  restore(all: readonly PendingPassword[]): void {
    for (const one of all) {
      const known = this.at(one.account, one.at);
      const place = known.findIndex(
        ({ at, passwordHash, network }) =>
          at === one.at && passwordHash === one.passwordHash && network === one.network,
      );
      if (place < 0) this.passed(one);
      else this.#ofAccounts.set(one.account, known.with(place, one));
    }
  }

  /** Passwords that may explain a refusal, nearest first. */
  about({ account, network }: Readonly<{ account: string; network: Prefix }>, now: Millis): readonly PendingPassword[] {
    const all = [...this.#all(now)];
    const near = all.filter((one) => one.account === account || one.network === network);
    return [...near, ...all.filter((one) => !near.includes(one))].slice(0, LIMITS.pendingRecorded);
  }

  reported({ account, passwordHash, network }: AccountGuess): void {
    const asked = this.#ofAccounts.get(account) ?? [];
    const at = asked.findIndex((one) => one.passwordHash === passwordHash && one.network === network);
    if (at < 0) return;
    if (asked.length === 1) this.#ofAccounts.delete(account);
    else this.#ofAccounts.set(account, asked.toSpliced(at, 1));
  }

  /** Pending passwords of one account. Drops future entries, so that a clock set back does not keep a password pending forever. */
  at(account: string, now: Millis): readonly PendingPassword[] {
    return (this.#ofAccounts.get(account) ?? []).filter(({ at }) => Math.abs(now - at) < UNANSWERED_MS);
  }

  /** Whether too many passwords of accounts without a recent sign-in are pending for further ones to pass as right. */
  hasManyFirst(now: Millis): boolean {
    return [...this.#all(now)].filter(({ isFirst }) => isFirst).length >= MOST_FIRST;
  }

  /** Pending passwords from one address that do not look right. */
  from(prefix: Prefix, now: Millis): readonly TriedPassword[] {
    return [...this.#all(now)].filter((one) => one.looksWrong && one.subject === prefix);
  }

  /** Pending passwords that do not look right, at accounts that do not know the address. */
  *guesses(now: Millis): Generator<PendingPassword> {
    for (const one of this.#all(now)) if (one.looksWrong && one.isStrange) yield one;
  }

  *#all(now: Millis): Generator<PendingPassword> {
    for (const [account] of this.#ofAccounts) yield* this.at(account, now);
  }
}
