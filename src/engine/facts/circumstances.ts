import type { Decision } from "../../core/decide/decision.ts";
import { type BounceFacts, type Facts, NO_BOUNCE, NOTHING_HEARD } from "../../core/decide/facts.ts";
import { HONEST_FOR_MS, isWanted } from "../../core/decide/honest-mail.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { exceeded } from "../../core/decide/windows.ts";
import type { Event } from "../../core/events/event.ts";
import type { Message, Recipient } from "../../core/events/mail.ts";
import { isBounce } from "../../core/events/mail.ts";
import { addressLiteral } from "../../core/net/address.ts";
import { hostPrefix, overlaps, type Prefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import type { AccountNetworks } from "../admin-ports.ts";
import type {
  AccountDirectory,
  AccountHistory,
  Acquaintance,
  HonestMail,
  JailMemory,
  OwnNetworks,
  RecipientDirectory,
} from "../ports.ts";
import { AccountCache } from "./account-cache.ts";
import type { AddressState, Beyond, Who } from "./address-cache.ts";
import { NamedRecipients } from "./named-recipients.ts";
import { kindOf } from "./recipients.ts";
import { Sessions } from "./sessions.ts";

export type CircumstancesParts = Readonly<{
  recipients: RecipientDirectory;
  acquaintance: Acquaintance;
  networks: Pick<AccountNetworks, "networksOf">;
  jails: JailMemory;
  own: OwnNetworks;
  /** Who may sign in now. */
  active: AccountDirectory;
  /** Who signed in from where, and who was guessed at. */
  accounts: AccountHistory;
  honest: Pick<HonestMail, "server">;
}>;

type FromAddress = Exclude<Event, { readonly prefix: Prefix }>;
type Login = Extract<Event, { readonly login: string }>;

/** What is known of an event besides its address: of its session, its recipient, its account, its login. */
export class Circumstances {
  readonly #parts: CircumstancesParts;
  readonly #accounts: AccountCache;
  readonly #sessions = new Sessions();
  readonly #named = new NamedRecipients();

  constructor(parts: CircumstancesParts) {
    this.#parts = parts;
    this.#accounts = new AccountCache(parts.accounts);
  }

  /** A directory that cannot be read knows everybody. */
  of(policy: Policy, event: FromAddress, state: AddressState, now: Millis): Who & Beyond {
    const { recipients, acquaintance, jails, active } = this.#parts;
    const sender = "account" in event ? event.account : null;
    const who = {
      ip: event.ip,
      sender,
      sessionMails: event.type === "MAIL" ? this.#sessions.mails(event.session) : 0,
      isWanted: this.#isWanted(policy, event, state, now),
      accountActive: sender === null || isActive(active, sender),
      heard: event.type === "JAIL_REPORTED" ? jails.heard(state.subject, event, now) : NOTHING_HEARD,
      ...("login" in event ? this.#login(policy, event, state, now) : NO_LOGIN),
    };
    if (event.type !== "RECIPIENT" || sender !== null) {
      const writtenTo = event.type === "MESSAGE" && sender !== null ? this.#writtenTo(event) : NOBODY;
      return { ...who, ...NO_RECIPIENT, writtenTo };
    }
    const senderHere = isHere(this.#parts.own, event.sender);
    const firstContact = policy.greylist && acquaintance.isFirstContact(event);
    const bounce = isBounce(event) ? this.#bounce(policy, event, state, now) : NO_BOUNCE;
    const recipient = kindOf(policy, recipients, event);
    return { ...who, senderHere, recipient, firstContact, bounce, writtenTo: NOBODY };
  }

  /** What an event that was decided means for those that follow it. */
  follow(event: FromAddress, { verdict }: Decision, state: AddressState, now: Millis): void {
    if (event.type === "CONNECT") this.#sessions.begin(event.session);
    if (event.type === "RECIPIENT" && isBounce(event)) this.#sessions.nameBounce(event);
    this.#noteRecipients(event, verdict === "pass");
    if (event.type === "MAIL" && verdict === "pass") this.#sessions.addMail(event.session);
    if (!("login" in event) || event.service === "dashboard") return;
    // From the question to the report a password is under way.
    if (event.type !== "LOGIN_ASKED") this.#accounts.reported(event, state);
    else if (verdict !== "refuse") this.#accounts.passed(event, state, now);
  }

  /** Looked up only where a ban depends on it. */
  #isWanted(policy: Policy, event: FromAddress, state: AddressState, now: Millis): boolean {
    const isOver =
      event.type === "CONNECT"
        ? exceeded(policy.connections, state.connections, now) !== null
        : event.type === "MAIL" && event.account === null && exceeded(policy.mail, state.mails, now) !== null;
    if (!isOver) return false;
    const server = this.#parts.honest.server(state.subject, state.network, later(now, -HONEST_FOR_MS));
    return server !== null && isWanted(server);
  }

  /** Who waits for it is looked up only where it matters. */
  #bounce(policy: Policy, event: Recipient, { bounces }: AddressState, now: Millis): BounceFacts {
    const isMuch = exceeded(policy.probes, bounces, now, policy.knownFactor) !== null;
    return {
      hasOther: this.#sessions.hasOther(event),
      isExpected: isMuch && this.#parts.acquaintance.expectsBounce(event),
    };
  }

  #noteRecipients(event: FromAddress, passed: boolean): void {
    if (event.type === "RECIPIENT" && event.account !== null && event.recipient !== null && passed)
      this.#named.add(event, event.recipient);
    else if (event.type === "CONNECT" || event.type === "MESSAGE") this.#named.end(event.session);
  }

  /** Postfix names one that is alone; of several a guard that was started meanwhile knows nothing. */
  #writtenTo(event: Message): readonly string[] {
    return event.recipient === null ? this.#named.of(event) : [event.recipient];
  }

  #login(policy: Policy, event: Login, state: AddressState, now: Millis): typeof NO_LOGIN {
    const { networks, accounts } = this.#parts;
    const memory = later(now, -policy.bans.memoryMs);
    return {
      accountNetworks: event.service === "dashboard" ? [] : networks.networksOf(event.login),
      knownAccounts: state.knownAt === null ? [] : accounts.accountsOf(state.subject, memory),
      account: this.#accounts.facts(policy, event, state, now),
    };
  }
}

/** What stands in the facts of an event that names no recipient, or is an account's. */
const NO_RECIPIENT = { senderHere: false, recipient: "known", firstContact: false, bounce: NO_BOUNCE } as const;
const NOBODY: readonly string[] = [];

/** What stands in the facts of an event that is no login. */
const NO_LOGIN: Pick<Facts, "accountNetworks" | "knownAccounts" | "account"> = {
  accountNetworks: [],
  knownAccounts: [],
  account: null,
};

function isHere(own: OwnNetworks, sender: string): boolean {
  const host = addressLiteral(sender);
  if (host === null) return false;
  return own.current().some(({ prefix, why }) => why !== "gateway" && overlaps(prefix, hostPrefix(host)));
}

function isActive(accounts: AccountDirectory, account: string): boolean {
  try {
    return accounts.isActive(account);
  } catch {
    return true;
  }
}
