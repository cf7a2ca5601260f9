import type { Decision } from "../core/decision.ts";
import type { Event } from "../core/event.ts";
import { type Facts, NOTHING_HEARD } from "../core/facts.ts";
import type { Prefix } from "../core/ip.ts";
import type { Policy } from "../core/policy.ts";
import { later, type Millis } from "../core/time.ts";
import { AccountBook } from "./account-book.ts";
import type { AddressState, Beyond, Who } from "./address-book.ts";
import type { AccountNetworks } from "./admin-ports.ts";
import type { AccountDirectory, AccountHistory, Acquaintance, JailMemory, RecipientDirectory } from "./ports.ts";
import { kindOf } from "./recipients.ts";
import { Sessions } from "./sessions.ts";

export type CircumstancesParts = Readonly<{
  recipients: RecipientDirectory;
  acquaintance: Acquaintance;
  networks: Pick<AccountNetworks, "networksOf">;
  jails: JailMemory;
  /** Who may sign in now. */
  active: AccountDirectory;
  /** Who signed in from where, and who was guessed at. */
  accounts: AccountHistory;
}>;

type FromAddress = Exclude<Event, { readonly prefix: Prefix }>;
type Login = Extract<Event, { readonly login: string }>;

/** What is known of an event besides its address: of its session, its recipient, its account, its login. */
export class Circumstances {
  readonly #parts: CircumstancesParts;
  readonly #accounts: AccountBook;
  readonly #sessions = new Sessions();

  constructor(parts: CircumstancesParts) {
    this.#parts = parts;
    this.#accounts = new AccountBook(parts.accounts);
  }

  /** A directory that cannot be read knows everybody. */
  of(policy: Policy, event: FromAddress, state: AddressState, now: Millis): Who & Beyond {
    const { recipients, acquaintance, jails, active } = this.#parts;
    const sender = "account" in event ? event.account : null;
    const who = {
      ip: event.ip,
      sender,
      sessionMails: event.type === "MAIL" ? this.#sessions.mails(event.session) : 0,
      accountActive: sender === null || isActive(active, sender),
      heard: event.type === "JAIL_REPORTED" ? jails.heard(state.subject, event, now) : NOTHING_HEARD,
      ...("login" in event ? this.#login(policy, event, state, now) : NO_LOGIN),
    };
    if (event.type !== "RECIPIENT" || sender !== null) return { ...who, recipient: "known", firstContact: false };
    const firstContact = policy.greylist && acquaintance.isFirstContact(event);
    return { ...who, recipient: kindOf(policy, recipients, event), firstContact };
  }

  /** What an event that was decided means for those that follow it. */
  follow(event: FromAddress, { verdict }: Decision, state: AddressState, now: Millis): void {
    if (event.type === "CONNECT") this.#sessions.begin(event.session);
    if (event.type === "MAIL" && verdict === "pass") this.#sessions.addMail(event.session);
    if (!("login" in event) || event.service === "dashboard") return;
    // From the question to the report a password is under way.
    if (event.type !== "LOGIN_ASKED") this.#accounts.reported(event, state);
    else if (verdict !== "refuse") this.#accounts.passed(event, state, now);
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

/** What stands in the facts of an event that is no login. */
const NO_LOGIN: Pick<Facts, "accountNetworks" | "knownAccounts" | "account"> = {
  accountNetworks: [],
  knownAccounts: [],
  account: null,
};

function isActive(accounts: AccountDirectory, account: string): boolean {
  try {
    return accounts.isActive(account);
  } catch {
    return true;
  }
}
