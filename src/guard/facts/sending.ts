import { BoundedMap } from "../../core/bounded-map.ts";
import { NO_SENDING, type RecipientCounts, type SendingFacts, type SentMail } from "../../core/decide/facts.ts";
import type { Limit, Policy } from "../../core/decide/policy.ts";
import { longestWindowMs, timesToKeep } from "../../core/decide/windows.ts";
import { readOr } from "../../core/error.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { DataCommand, EndOfMessage, Recipient } from "../../core/events/mail.ts";
import { domainOf } from "../../core/net/address.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { ForwardReach } from "../mailbox-ports.ts";
import type { AccountDirectory } from "../ports.ts";
import type { HoldState, SendingHistory } from "../storage-ports.ts";
import { push } from "./address-cache.ts";
import type { NamedRecipients } from "./smtp-sessions.ts";

type Sending = (Recipient | DataCommand | EndOfMessage) & Readonly<{ account: string }>;

/** The mails that accounts sent recently: a copy of the rows of their mails (`sqliteSendingHistory`), which may be dropped at any time. */
export class SentMails {
  readonly #history: SendingHistory;
  readonly #accounts = new BoundedMap<string, SentMail[]>(LIMITS.cachedSenders);

  constructor(history: SendingHistory) {
    this.#history = history;
  }

  of(policy: Policy, account: string, now: Millis): SentMail[] {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const since = later(now, -longestWindowMs(limitsOf(policy)));
    const mails = [...this.#history.sentMails(account, { since, until: now, most: mostMails(policy) })];
    this.#accounts.set(account, mails);
    return mails;
  }

  count(policy: Policy, account: string, mail: SentMail): void {
    push(this.of(policy, account, mail.at), mail, mostMails(policy));
  }

  forget(): void {
    this.#accounts.clear();
  }
}

/** Maximum mails that any limit needs: each has at least one recipient, and limits on mails allow no more. */
export function mostMails(policy: Policy): number {
  return timesToKeep(limitsOf(policy), 1);
}

function limitsOf({ sending: { burst, recipients, strangers }, mail }: Policy): readonly Limit[] {
  return [burst, ...recipients, ...strangers, ...mail];
}

/** What is known about the sending account, if there is one. */
export function sendingOf(sources: SendingSources, event: ClientEvent, place: Prefix, now: Millis): SendingFacts {
  if (!("account" in event) || event.account === null) return NO_SENDING;
  return new AccountSending(sources, { ...event, account: event.account }, place, now);
}

/** If the directory cannot be read, every account counts as active. */
export function isActive(active: AccountDirectory, account: string | null): boolean {
  return account === null || readOr(() => active.isActive(account), true);
}

type SendingSources = Readonly<{
  policy: Policy;
  ports: Readonly<{ sending: SendingHistory; forwardReach: ForwardReach }>;
  sent: SentMails;
  named: NamedRecipients;
}>;

/** What is known about an account when its mail is judged. Each fact is looked up when the decision reads it. */
export class AccountSending implements SendingFacts {
  readonly #sources: SendingSources;
  readonly #event: Sending;
  readonly #place: Prefix;
  readonly #now: Millis;
  #recipient: SendingFacts["recipient"] | null = null;
  #hold: HoldState | null = null;

  constructor(sources: SendingSources, event: Sending, place: Prefix, now: Millis) {
    this.#sources = sources;
    this.#event = event;
    this.#place = place;
    this.#now = now;
  }

  get mails(): readonly SentMail[] {
    return this.#sources.sent.of(this.#sources.policy, this.#event.account, this.#now);
  }

  get mail(): RecipientCounts {
    const [event, { named }] = [this.#event, this.#sources];
    const counts = named.counts(event, event.type === "RECIPIENT" ? null : event.recipientCount);
    return event.type === "END_OF_MESSAGE" ? { ...counts, strangers: counts.strangers + named.again(event) } : counts;
  }

  get recipient(): SendingFacts["recipient"] {
    return (this.#recipient ??= this.#lookUpRecipient());
  }

  get holdEvidence(): SendingFacts["holdEvidence"] {
    return this.#state.evidence;
  }

  get vouchedAt(): Millis {
    return this.#state.vouchedAt;
  }

  get heldMails(): number {
    return this.#state.mails;
  }

  get isMailHeld(): boolean {
    return this.#sources.named.isHeld(this.#event);
  }

  isNewPlace(after: Millis): boolean {
    const times = { firstBy: after, decidedAfter: later(this.#now, -this.#sources.policy.accounts.knownForMs) };
    return !this.#sources.ports.sending.knowsPlace(this.#event.account, this.#place, times);
  }

  refused(since: Millis): number {
    return this.#sources.ports.sending.refusals(this.#event.account, { since, until: this.#now });
  }

  get #state(): HoldState {
    return (this.#hold ??= this.#sources.ports.sending.holdOf(this.#event.account, this.#now));
  }

  #lookUpRecipient(): SendingFacts["recipient"] {
    const { type, account, recipient } = this.#event;
    if (type !== "RECIPIENT" || recipient === null) return "written";
    const address = recipient.toLowerCase();
    if (this.#isLocal(address) && !this.#sendsOutside(address)) return "local";
    if (!this.#isLocal(address) && this.#sources.ports.sending.hasWritten(account, address)) return "written";
    return this.#sources.named.hasCounted(account, recipient) ? "again" : "stranger";
  }

  #isLocal(address: string): boolean {
    return this.#sources.policy.domains.includes(domainOf(address));
  }

  /** Whether the account writes to strangers through its own forward. False if that cannot be read. */
  #sendsOutside(address: string): boolean {
    const { account } = this.#event;
    const { forwardReach, sending } = this.#sources.ports;
    const isStranger = (one: string): boolean => !this.#isLocal(one) && !sending.hasWritten(account, one);
    return readOr(() => forwardReach.reachedBy(account, address).some(isStranger), false);
  }
}
