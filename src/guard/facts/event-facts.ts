import type { Ban } from "../../core/decide/decision.ts";
import { type Facts, NO_BOUNCE, NO_PRIOR_REPORTS, type SendingFacts } from "../../core/decide/facts.ts";
import { HONEST_FOR_MS, isWanted } from "../../core/decide/honest-mail.ts";
import { type ClientEvent, isLogin } from "../../core/events/event.ts";
import { isAdministrators } from "../../core/events/event-types.ts";
import { isBounce, type Recipient } from "../../core/events/mail.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { type Remembered, type Seen, seenIn } from "../../core/events/seen.ts";
import { addressLiteral } from "../../core/net/address.ts";
import { hostPrefix, type Ip, overlaps, type Prefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import type { AddressState } from "./address-cache.ts";
import { type FactSources, neighboursIn, recipientKind } from "./fact-sources.ts";
import { isActive, sendingOf } from "./sending.ts";

const NO_TIMES: readonly Millis[] = [];

/** The facts of one event. Each is looked up when the decision reads it, so unused facts cost nothing. */
export class EventFacts implements Facts {
  readonly state: AddressState;
  readonly #sources: FactSources;
  readonly #event: ClientEvent;
  readonly #now: Millis;
  /** While the record is made, expensive facts are no longer looked up. */
  #isBeingRecorded = false;
  #isWanted: boolean | null = null;
  #sending: SendingFacts | null = null;
  #isAccountActive: boolean | null = null;
  #recipient: Facts["recipient"] | null = null;
  #isFirstContact: boolean | null = null;
  #isExpected: boolean | null = null;
  #accountNetworks: readonly Prefix[] | null = null;
  #knownAccounts: readonly string[] | null = null;
  #priorReports: Facts["priorReports"] | null = null;
  #account: Facts["account"] | undefined;

  constructor(sources: FactSources, event: ClientEvent, state: AddressState, now: Millis) {
    this.state = state;
    this.#sources = sources;
    this.#event = event;
    this.#now = now;
  }

  get prefix(): Prefix {
    return this.state.prefix;
  }

  get network(): Prefix {
    return this.state.network;
  }

  get ip(): Ip {
    return this.#event.ip;
  }

  get protection(): Protection | null {
    return this.state.protection;
  }

  /** A simulated ban ends with the simulation. */
  get ban(): Ban | null {
    const { ban } = this.state;
    return ban !== null && ban.simulated === true && !this.#sources.policy.simulate ? null : ban;
  }

  get isKnown(): boolean {
    return (this.state.knownAt ?? 0) > this.#now - this.#sources.policy.bans.memoryMs;
  }

  get offences(): number {
    const { offencesAt } = this.state;
    const memory = this.#now - this.#sources.policy.bans.memoryMs;
    return offencesAt.length === 0 ? 0 : offencesAt.filter((at) => at > memory).length;
  }

  get connections(): readonly Millis[] {
    return this.state.connections;
  }

  get mails(): readonly Millis[] {
    return this.state.mails;
  }

  get failures(): Facts["failures"] {
    return this.state.failures;
  }

  get probes(): readonly Millis[] {
    return this.state.probes;
  }

  get bounces(): readonly Millis[] {
    return this.state.bounces;
  }

  get probesFromAnywhere(): readonly Millis[] {
    return this.#isStrangersRecipient(this.#event)
      ? this.#sources.wholeServer.probes(this.#event, this.state.network, this.#now)
      : NO_TIMES;
  }

  get namesProbed(): number {
    return this.#sources.wholeServer.namesProbed(this.state.network, this.#now);
  }

  get firstContactsFromAnywhere(): readonly Millis[] {
    return this.#sources.wholeServer.firstContacts(this.state.network, this.#now);
  }

  get isAmongFirstContacts(): boolean {
    return this.#sources.wholeServer.isAmongFirstContacts(this.state, this.#now);
  }

  get isWanted(): boolean {
    if (this.#isWanted === null && !this.#isBeingRecorded) this.#isWanted = this.#lookUpWanted();
    return this.#isWanted ?? false;
  }

  get sessionMails(): number {
    return this.#event.type === "DATA" ? this.#sources.sessions.mails(this.#event.session) : 0;
  }

  get sessionRecipients(): number {
    return this.#isStrangersRecipient(this.#event) ? this.#sources.sessions.recipients(this.#event.session) : 0;
  }

  get sending(): SendingFacts {
    return (this.#sending ??= sendingOf(this.#sources, this.#event, this.state.place, this.#now));
  }

  /**
   * If accounts.db cannot be read, every account counts as active. For a login this is looked up only if the decision asks;
   * otherwise the record says that the account is active.
   */
  get isAccountActive(): boolean {
    const event = this.#event;
    if (isLogin(event) && this.#isBeingRecorded) return this.#isAccountActive ?? true;
    this.#isAccountActive ??= isActive(this.#sources.ports.active, isLogin(event) ? event.login : this.#sendingAccount);
    return this.#isAccountActive;
  }

  get isSenderHere(): boolean {
    const host = this.#isStrangersRecipient(this.#event) ? addressLiteral(this.#event.sender) : null;
    if (host === null) return false;
    const own = this.#sources.ports.own.current();
    return own.some(({ prefix, why }) => why !== "gateway" && overlaps(prefix, hostPrefix(host)));
  }

  get recipient(): Facts["recipient"] {
    const event = this.#event;
    if (!this.#isStrangersRecipient(event)) return "exists";
    return (this.#recipient ??= recipientKind(this.#sources.policy, this.#sources.ports.recipients, event));
  }

  get isFirstContact(): boolean {
    if (!this.#sources.policy.greylist || !this.#isStrangersRecipient(this.#event)) return false;
    return (this.#isFirstContact ??= this.#sources.ports.firstContacts.isFirstContact(this.#event));
  }

  get bounce(): Facts["bounce"] {
    const event = this.#event;
    if (!this.#isStrangersRecipient(event) || !isBounce(event)) return NO_BOUNCE;
    const isExpected = (): boolean => this.#expects(event);
    return {
      hasOther: this.#sources.sessions.hasOther(event),
      get isExpected() {
        return isExpected();
      },
    };
  }

  get hasOtherExtension(): boolean {
    const event = this.#event;
    return this.#isStrangersRecipient(event) && !isBounce(event) && this.#sources.sessions.hasOther(event);
  }

  get isAnswer(): boolean {
    const event = this.#event;
    return this.#isStrangersRecipient(event) && !isBounce(event) && this.#expects(event);
  }

  /** Postfix names a recipient only if there is just one. Several are unknown to a guard that started in between. */
  get writtenTo(): readonly string[] {
    const event = this.#event;
    if (event.type !== "END_OF_MESSAGE" || event.account === null) return [];
    return event.recipient === null ? this.#sources.named.of(event) : [event.recipient];
  }

  get accountNetworks(): readonly Prefix[] {
    const event = this.#event;
    if (!isLogin(event) || isAdministrators(event.service, event.login)) return [];
    return (this.#accountNetworks ??= this.#sources.ports.networks.networksOf(event.login));
  }

  get knownAccounts(): readonly string[] {
    if (this.state.knownAt === null) return [];
    const { policy, ports } = this.#sources;
    const since = later(this.#now, -policy.accounts.knownForMs);
    return (this.#knownAccounts ??= ports.accounts.accountsOf(this.state.place, since));
  }

  get account(): Facts["account"] {
    const event = this.#event;
    if (this.#account === undefined)
      this.#account = isLogin(event)
        ? this.#sources.logins.facts(this.#sources.policy, event, this.state, this.#now)
        : null;
    return this.#account;
  }

  get spraying(): Facts["spraying"] {
    return this.#sources.logins.spraying(this.#sources.policy, this.#now);
  }

  get pending(): Facts["pending"] {
    return this.#sources.logins.pending(this.state, this.#now);
  }

  get priorReports(): Facts["priorReports"] {
    if (this.#event.type !== "JAIL_REPORTED") return NO_PRIOR_REPORTS;
    return (this.#priorReports ??= this.#sources.ports.jails.priorReports(this.state.prefix, this.#event, this.#now));
  }

  sparing(network: Prefix): ReturnType<Facts["sparing"]> {
    return this.#sources.sparing.facts(network, this.#now);
  }

  neighbourhood(): ReturnType<Facts["neighbourhood"]> {
    return neighboursIn(this.#sources.ports, this.state.network, this.#now);
  }

  /** The facts behind a decision, for its record. Includes expensive facts only if the decision read them. */
  seen(remembered: Remembered): Seen | undefined {
    this.#isBeingRecorded = true;
    return seenIn(this, remembered);
  }

  /** Whether a stranger names a recipient. Recipients of accounts are not looked up. */
  #isStrangersRecipient(event: ClientEvent): event is Recipient {
    return event.type === "RECIPIENT" && event.account === null;
  }

  #lookUpWanted(): boolean {
    const { prefix, network } = this.state;
    const server = this.#sources.ports.honest.server(prefix, network, later(this.#now, -HONEST_FOR_MS));
    return server !== null && isWanted(server);
  }

  #expects(event: Recipient): boolean {
    if (this.#isExpected === null && !this.#isBeingRecorded)
      this.#isExpected = this.#sources.ports.firstContacts.isExpected(event);
    return this.#isExpected ?? false;
  }

  /** The signed-in account that sends, if any. */
  get #sendingAccount(): string | null {
    return "account" in this.#event ? this.#event.account : null;
  }
}
