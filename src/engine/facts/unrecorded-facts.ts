import type { Decision } from "../../core/decide/decision.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { Ip } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { AccountHistory, SendingHistory } from "../storage-ports.ts";
import { AccountCache } from "./account-cache.ts";
import { type AddressState, failureOf } from "./address-cache.ts";
import { EventFacts } from "./event-facts.ts";
import type { FactSources } from "./fact-sources.ts";
import type { NamedRecipients } from "./named-recipients.ts";
import type { PendingPasswords } from "./pending-passwords.ts";
import { followNamed, SentMails } from "./sending.ts";
import { UnrecordedGuesses } from "./unrecorded-guesses.ts";
import { UnrecordedSends } from "./unrecorded-sends.ts";

type Parts = Readonly<{ accounts: AccountHistory; sending: SendingHistory }>;

/**
 * Facts while the database cannot be written: includes wrong passwords and mails of accounts in memory, and omits what cannot
 * be read.
 */
export class UnrecordedFacts {
  readonly #guesses = new UnrecordedGuesses();
  readonly #history: AccountHistory;
  readonly #accounts: AccountCache;
  readonly #sends = new UnrecordedSends();
  readonly #sending: SendingHistory;
  readonly #named: NamedRecipients;

  constructor(parts: Parts, pending: PendingPasswords, named: NamedRecipients) {
    const { accounts: recorded, sending } = parts;
    this.#named = named;
    this.#sending = sending;
    this.#history = this.#guesses.beside(recorded);
    this.#accounts = new AccountCache(this.#history, pending);
  }

  of(on: FactSources, event: ClientEvent, now: Millis): EventFacts {
    const state = stateOf(on, event.ip, now);
    const failures = [...state.failures, ...this.#guesses.failures(state.subject)];
    const sending = this.#sends.beside(this.#sending, "transaction" in event ? event : null);
    const parts = { ...on.parts, accounts: this.#history, sending };
    const sent = new SentMails(sending);
    return new EventFacts({ ...on, parts, accounts: this.#accounts, sent }, event, { ...state, failures }, now);
  }

  /** Applies a sign-in, or mail of an account, to the facts of later events. */
  follow(event: ClientEvent, decided: Decision, facts: EventFacts, now: Millis): void {
    if (!("login" in event)) {
      if (event.type === "MAIL" && event.account !== null && decided.verdict === "pass")
        this.#sends.count(event.account, event, { at: now, ...facts.sending.mail });
      followNamed(this.#named, event, decided, facts.sending);
      return;
    }
    if (decided.counted && event.type !== "LOGIN_SUCCEEDED") this.#guesses.fail(facts.subject, failureOf(event, now));
    for (const change of decided.changes) if (change.type === "GUESS") this.#guesses.guess({ ...change, at: now });
    this.#accounts.follow(event, decided, facts, now);
  }
}

function stateOf({ addresses, policy }: FactSources, ip: Ip, now: Millis): AddressState {
  try {
    return addresses.state(policy, ip, now);
  } catch {
    return addresses.blank(policy, ip);
  }
}
