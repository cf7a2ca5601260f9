import { BoundedMap } from "../../core/bounded-map.ts";
import { countShares, type Shares } from "../../core/decide/account-guard.ts";
import type { Failure } from "../../core/decide/facts.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess, AccountHistory, TimeSpan } from "../storage-ports.ts";

type Guessed = AccountGuess & Readonly<{ at: Millis; isStale: boolean }>;

const NONE: Shares = { within: 0, beyond: 0 };

/**
 * Wrong passwords that could not be written. They count only while the database cannot be written, so that a replay
 * decides the same later. If the database cannot be read either, it counts as empty.
 */
export class UnrecordedGuesses {
  readonly #failures = new BoundedMap<Prefix, readonly Failure[]>(LIMITS.cachedAddresses);
  #guesses: readonly Guessed[] = [];

  fail(subject: Prefix, failure: Failure): void {
    this.#failures.set(subject, [...this.failures(subject), failure].slice(-LIMITS.unrecordedPerAddress));
  }

  guess(one: Guessed): void {
    const others = this.#guesses.filter((other) => !isSame(one, other));
    this.#guesses = [one, ...others].slice(0, LIMITS.unrecordedGuesses);
  }

  failures(subject: Prefix): readonly Failure[] {
    return this.#failures.get(subject) ?? [];
  }

  /** The recorded history together with these guesses. */
  beside(recorded: AccountHistory): AccountHistory {
    const within = ({ since, until }: TimeSpan): readonly Guessed[] =>
      this.#guesses.filter(({ at }) => at > since && at <= until);
    return {
      signIns: (...asked) => read(() => recorded.signIns(...asked)),
      passwordProofs: (account) => read(() => recorded.passwordProofs(account)),
      accountsOf: (...asked) => read(() => recorded.accountsOf(...asked)),
      knownWithin: (...asked) => read(() => recorded.knownWithin(...asked)),
      networksSince: (at) => read(() => recorded.networksSince(at)),
      guesses: (account, reach) => {
        const known = read(() => recorded.guesses(account, reach)).map((one) => ({ ...one, account }));
        const { network } = reach;
        const ofAccount = within(reach).filter((one) => one.account === account);
        return merged(
          ofAccount.filter((one) => network === null || one.network === network),
          known,
          reach.most,
        );
      },
      candidates: (account, { share, ...span }) => {
        const latest = { ...span, network: null, most: LIMITS.unrecordedGuesses };
        const known = read(() => recorded.guesses(account, latest)).map((one) => ({ ...one, account }));
        const own = within(span).filter((one) => one.account === account && !known.some((other) => isSame(one, other)));
        const ofOwn = countShares(
          own.map(({ network }) => network),
          share,
        );
        const [ofKnown = NONE] = read(() => [recorded.candidates(account, { ...span, share })]);
        // A network may have a share of both: while the database cannot be written, too few are verified, not too many.
        return { within: ofKnown.within + ofOwn.within, beyond: ofKnown.beyond + ofOwn.beyond };
      },
      guessesOf: (network, span) => {
        const known = read(() => recorded.guessesOf(network, span));
        return merged(
          within(span).filter((one) => one.network === network),
          known,
          span.most,
        );
      },
      guessesSince: (span) => {
        const known = read(() => [...recorded.guessesSince(span)]);
        return merged(
          within(span).filter(({ isStale }) => !isStale),
          known,
          span.most,
        );
      },
    };
  }
}

function merged(
  unrecorded: readonly AccountGuess[],
  known: readonly AccountGuess[],
  most: number,
): readonly AccountGuess[] {
  const others = known.filter((one) => !unrecorded.some((other) => isSame(one, other)));
  return [...unrecorded, ...others].slice(0, most);
}

function isSame(one: AccountGuess, other: AccountGuess): boolean {
  return one.account === other.account && one.network === other.network && one.proof === other.proof;
}

function read<T>(ask: () => readonly T[]): readonly T[] {
  try {
    return ask();
  } catch {
    return [];
  }
}
