import { BoundedMap } from "../../core/bounded-map.ts";
import type { UnderWay, Verified } from "../../core/decide/facts.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess } from "../storage-ports.ts";

/** Longer than Dovecot takes to verify a password and to tell, however many wait before it. */
const UNANSWERED_MS = 60 * SECOND_MS;

/** A team that is new here may sign in at once; names that nobody has must hide no flood. */
const MOST_FIRST = 8;

/**
 * Passwords that are being verified: five hundred may be on their way before the first is told to be wrong. A restart
 * forgets them.
 */
export class PasswordsUnderWay {
  readonly #ofAccounts = new BoundedMap<string, readonly UnderWay[]>(LIMITS.cachedAccounts);

  /** The password goes to verification; its report will follow. */
  passed(one: UnderWay): void {
    const asked = [...this.at(one.account, one.at), one];
    this.#ofAccounts.set(one.account, asked.slice(-LIMITS.pendingLoginsPerAccount));
  }

  /** As it was when this was recorded: what no report tells of is not known otherwise. */
  restore(all: readonly UnderWay[]): void {
    for (const one of all) {
      const isKnown = this.at(one.account, one.at).some(
        ({ at, proof, network }) => at === one.at && proof === one.proof && network === one.network,
      );
      if (!isKnown) this.passed(one);
    }
  }

  /** All that may have kept somebody from there out at this account. */
  about({ account, network }: Readonly<{ account: string; network: Prefix }>, now: Millis): readonly UnderWay[] {
    const all = [...this.#all(now)];
    const near = all.filter((one) => one.account === account || one.network === network);
    return [...near, ...all.filter((one) => !near.includes(one))].slice(0, LIMITS.underWayRecorded);
  }

  reported({ account, proof, network }: AccountGuess): void {
    const asked = this.#ofAccounts.get(account);
    const at = asked?.findIndex((one) => one.proof === proof && one.network === network) ?? -1;
    if (asked === undefined || at < 0) return;
    if (asked.length === 1) this.#ofAccounts.delete(account);
    else this.#ofAccounts.set(account, asked.toSpliced(at, 1));
  }

  /** At one account. A clock that was set back must not keep a question waiting for ever. */
  at(account: string, now: Millis): readonly UnderWay[] {
    return (this.#ofAccounts.get(account) ?? []).filter(({ at }) => Math.abs(now - at) < UNANSWERED_MS);
  }

  /** Of those that may well be right since nothing is known of their accounts, whether there are as many as are borne. */
  hasManyFirst(now: Millis): boolean {
    return [...this.#all(now)].filter(({ isFirst }) => isFirst).length >= MOST_FIRST;
  }

  /** Those of one address that do not look right. */
  from(subject: Prefix, now: Millis): readonly Verified[] {
    return [...this.#all(now)].filter((one) => one.looksWrong && one.subject === subject);
  }

  /** Those that do not look right, at accounts that do not know the address. */
  *guesses(now: Millis): Generator<UnderWay> {
    for (const one of this.#all(now)) if (one.looksWrong && one.isStrange) yield one;
  }

  *#all(now: Millis): Generator<UnderWay> {
    for (const [account] of this.#ofAccounts) yield* this.at(account, now);
  }
}
