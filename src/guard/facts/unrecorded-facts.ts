import { BoundedMap } from "../../core/bounded-map.ts";
import { countShares, type Shares } from "../../core/decide/account-guard.ts";
import type { Decision } from "../../core/decide/decision.ts";
import type { FailedLogin, SentMail } from "../../core/decide/facts.ts";
import { readOr } from "../../core/error.ts";
import { type ClientEvent, isLogin } from "../../core/events/event.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import { instant, isOver, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { AccountGuess, AccountHistory, HoldState, SendingHistory, TimeSpan } from "../storage-ports.ts";
import { type AddressState, failedLoginOf } from "./address-cache.ts";
import { EventFacts } from "./event-facts.ts";
import type { FactSources } from "./fact-sources.ts";
import { LoginFacts } from "./login-facts.ts";
import type { PendingPasswords } from "./pending-logins.ts";
import { SentMails } from "./sending.ts";
import type { MailId, NamedRecipients } from "./smtp-sessions.ts";

type Parts = Readonly<{ accounts: AccountHistory; sending: SendingHistory }>;

/**
 * Facts while the database cannot be written: includes wrong passwords and mails of accounts in memory, and omits what cannot
 * be read.
 */
export function createUnrecordedFacts(
  { accounts: recorded, sending }: Parts,
  pending: PendingPasswords,
  named: NamedRecipients,
) {
  const guesses = new UnrecordedGuesses();
  const accounts = guesses.beside(recorded);
  const logins = new LoginFacts(accounts, pending);
  const sends = new UnrecordedSends();
  return {
    of: (sources: FactSources, event: ClientEvent, now: Millis): EventFacts => {
      const state = stateOf(sources, event.ip, now);
      const failures = [...state.failures, ...guesses.failures(state.prefix)];
      const ofAccount = sends.beside(sending, "transaction" in event ? event : null);
      const ports = { ...sources.ports, accounts, sending: ofAccount };
      const sent = new SentMails(ofAccount);
      return new EventFacts({ ...sources, ports, logins, sent }, event, { ...state, failures }, now);
    },
    /** Applies a sign-in, or mail of an account, to the facts of later events. */
    update: (event: ClientEvent, decided: Decision, facts: EventFacts, now: Millis): void => {
      if (!isLogin(event)) {
        // Mail that would be held is deferred instead.
        const counted = event.type === "DATA" && event.account !== null && decided.verdict === "pass";
        if (counted) sends.count(event.account, event, { at: now, ...facts.sending.mail });
        named.update(event, { verdict: decided.verdict, counted }, facts.sending);
        return;
      }
      if (decided.counted && event.type !== "LOGIN_SUCCEEDED") guesses.fail(facts.prefix, failedLoginOf(event, now));
      for (const change of decided.changes) if (change.type === "GUESS") guesses.guess({ ...change, at: now });
      logins.update(event, decided, facts, now);
    },
  };
}

function stateOf({ addresses, policy }: FactSources, ip: Ip, now: Millis): AddressState {
  const state = readOr(() => addresses.state(policy, ip, now), null) ?? addresses.blank(policy, ip);
  // The end of the ban cannot be written, but the kernel accepts the address again.
  return state.ban !== null && isOver(state.ban.expiresAt, now) ? { ...state, ban: null } : state;
}

type Guessed = AccountGuess & Readonly<{ at: Millis; isStale: boolean }>;

const NONE: Shares = { within: 0, beyond: 0 };

/**
 * Wrong passwords that could not be written. They count only while the database cannot be written, so that a replay
 * decides the same later. If the database cannot be read either, it counts as empty.
 */
export class UnrecordedGuesses {
  readonly #failures = new BoundedMap<Prefix, readonly FailedLogin[]>(LIMITS.cachedAddresses);
  #guesses: readonly Guessed[] = [];

  fail(prefix: Prefix, failure: FailedLogin): void {
    this.#failures.set(prefix, [...this.failures(prefix), failure].slice(-LIMITS.unrecordedPerAddress));
  }

  guess(one: Guessed): void {
    const others = this.#guesses.filter((other) => !isSame(one, other));
    this.#guesses = [one, ...others].slice(0, LIMITS.unrecordedGuesses);
  }

  failures(prefix: Prefix): readonly FailedLogin[] {
    return this.#failures.get(prefix) ?? [];
  }

  /** The recorded history together with these guesses. */
  beside(recorded: AccountHistory): AccountHistory {
    const within = ({ since, until }: TimeSpan): readonly Guessed[] =>
      this.#guesses.filter(({ at }) => at > since && at <= until);
    return {
      signIns: (...asked) => readOr(() => recorded.signIns(...asked), []),
      passwordHashes: (account) => readOr(() => recorded.passwordHashes(account), []),
      accountsOf: (...asked) => readOr(() => recorded.accountsOf(...asked), []),
      isKnownWithin: (...asked) => readOr(() => recorded.isKnownWithin(...asked), false),
      networksSince: (at) => readOr(() => recorded.networksSince(at), []),
      guesses: (account, reach) => {
        const known = readOr(() => recorded.guesses(account, reach), []).map((one) => ({ ...one, account }));
        const { network } = reach;
        const ofAccount = within(reach).filter((one) => one.account === account);
        const own = ofAccount.filter((one) => network === null || one.network === network);
        return merged(own, known, reach.most);
      },
      candidates: (account, { share, ...span }) => {
        const latest = { ...span, network: null, most: LIMITS.unrecordedGuesses };
        const known = readOr(() => recorded.guesses(account, latest), []).map((one) => ({ ...one, account }));
        const own = within(span).filter((one) => one.account === account && !known.some((other) => isSame(one, other)));
        const networks = own.map(({ network }) => network);
        const ofOwn = countShares(networks, share);
        const ofKnown = readOr(() => recorded.candidates(account, { ...span, share }), NONE);
        // A network may use up a share of both, so while the database cannot be written, too few passwords are verified, but not too many.
        return { within: ofKnown.within + ofOwn.within, beyond: ofKnown.beyond + ofOwn.beyond };
      },
      guessesOf: (network, span) => {
        const known = readOr(() => recorded.guessesOf(network, span), []);
        const own = within(span).filter((one) => one.network === network);
        return merged(own, known, span.most);
      },
      guessesSince: (span) => {
        const known = readOr(() => [...recorded.guessesSince(span)], []);
        const own = within(span).filter(({ isStale }) => !isStale);
        return merged(own, known, span.most);
      },
    };
  }
}

function merged(unrecorded: readonly AccountGuess[], known: readonly AccountGuess[], most: number) {
  const others = known.filter((one) => !unrecorded.some((other) => isSame(one, other)));
  return [...unrecorded, ...others].slice(0, most);
}

function isSame(one: AccountGuess, other: AccountGuess): boolean {
  return one.account === other.account && one.network === other.network && one.passwordHash === other.passwordHash;
}

const NEVER_HELD: HoldState = { evidence: null, vouchedAt: instant(0), mails: 0 };

/**
 * Mails of accounts that could not be written. Like wrong passwords they count only while the database cannot be written.
 * If the database cannot be read either, an account counts as having sent nothing else, and as knowing every recipient.
 */
export class UnrecordedSends {
  /** By connection and transaction: a mail may be decided on twice. */
  readonly #mails = new BoundedMap<string, BoundedMap<string, SentMail>>(LIMITS.unrecordedSenders);

  count(account: string, mail: MailId, sent: SentMail): void {
    const mails = this.#mails.get(account) ?? new BoundedMap<string, SentMail>(LIMITS.unrecordedMails);
    mails.set(keyOf(mail), sent);
    this.#mails.set(account, mails);
  }

  /** The recorded history together with these mails, without the one that is decided on. */
  beside(recorded: SendingHistory, decided: MailId | null): SendingHistory {
    const own = decided === null ? null : keyOf(decided);
    return {
      sentMails: (account, span) => {
        const known = readOr(() => recorded.sentMails(account, span), []);
        const written = new Set(known.map(({ at }) => at));
        const others = [...(this.#mails.get(account) ?? [])].flatMap(([key, mail]) =>
          key !== own && mail.at > span.since && mail.at <= span.until && !written.has(mail.at) ? [mail] : [],
        );
        return [...known, ...others].toSorted((a, b) => a.at - b.at).slice(-span.most);
      },
      hasWritten: (...asked) => readOr(() => recorded.hasWritten(...asked), true),
      knowsPlace: (...asked) => readOr(() => recorded.knowsPlace(...asked), true),
      holdOf: (...asked) => readOr(() => recorded.holdOf(...asked), NEVER_HELD),
      refusals: (...asked) => readOr(() => recorded.refusals(...asked), 0),
    };
  }
}

function keyOf({ session, transaction }: MailId): string {
  return `${session} ${transaction}`;
}
