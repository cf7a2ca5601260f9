import { decideCommand } from "../core/decide-command.ts";
import { decideConnect } from "../core/decide-connect.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "../core/decide-login.ts";
import { decideMail, decideMessage, decideRecipient } from "../core/decide-mail.ts";
import { type Change, type Decision, decision } from "../core/decision.ts";
import type { Audit, Event, LogPosition, Observation } from "../core/event.ts";
import type { Facts } from "../core/facts.ts";
import type { Ip, Prefix } from "../core/ip.ts";
import type { Policy } from "../core/policy.ts";
import type { Millis } from "../core/time.ts";
import { AddressBook, type AddressState, type Beyond, mostTimes, push, type Who } from "./address-book.ts";
import type { AccountNetworks } from "./admin-ports.ts";
import { failOpen } from "./fail-open.ts";
import { LIMITS } from "./limits.ts";
import type { Acquaintance, Clock, History, Notices, OwnNetworks, RecipientDirectory, Store } from "./ports.ts";
import { ProtectionList } from "./protection.ts";
import { kindOf } from "./recipients.ts";
import { auditRow, changeRow, eventRow, leavesRow, observationRow } from "./record.ts";
import { Sessions } from "./sessions.ts";

export type Answer = (decision: Decision) => void;

/** What one transaction brought, for whoever follows. */
export type Committed = Readonly<{ lastEventId: number; bansChanged: boolean; allowChanged: boolean }>;

export type EngineParts = Readonly<{
  policy: Policy;
  store: Store;
  history: History;
  own: OwnNetworks;
  recipients: RecipientDirectory;
  acquaintance: Acquaintance;
  networks: Pick<AccountNetworks, "networksOf">;
  notices: Notices;
  clock: Clock;
  /** Called once after each commit. Must not throw; slow work belongs elsewhere. */
  committed: (what: Committed) => void;
}>;

type Command = Extract<Event, { readonly prefix: Prefix }>;
type FromAddress = Exclude<Event, Command>;

/**
 * The five steps: event, facts, decide, commit, publish. All events of one turn of the event loop share one
 * transaction, and no answer leaves before its commit. Single-threaded: what one event changed, the next one sees.
 */
export class Engine {
  readonly startedAt: Millis;
  readonly #parts: EngineParts;
  readonly #protection: ProtectionList;
  readonly #book: AddressBook;
  readonly #sessions = new Sessions();
  #policy: Policy;
  #open = false;
  #waiting: { readonly answer: Answer; readonly decided: Decision | null }[] = [];
  #lastEventId = 0;
  #bansChanged = false;
  #allowChanged = false;
  #storeRetryAt = 0;
  readonly #flush = (): void => this.flush();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.startedAt = parts.clock.now();
    this.#policy = parts.policy;
    this.#protection = new ProtectionList(parts.own, parts.history);
    this.#book = new AddressBook(parts.history, this.#protection);
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** The newest event of this engine; 0 before its first. */
  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** Swaps the policy whole; windows are read anew, since they may reach further now. */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
    this.#book.forget();
    this.#protection.refresh(policy, this.#parts.clock.now(), true);
  }

  submit(event: Event, answer: Answer): void {
    const now = this.#parts.clock.now();
    if (!this.#begin(now)) {
      answer(failOpen(this.#decideUnrecorded(event, now)));
      return;
    }
    try {
      this.#waiting.push({ answer, decided: this.#step(event, now) });
    } catch (error) {
      this.#waiting.push({ answer, decided: null });
      this.#abandon(error, now);
      return;
    }
    if (this.#waiting.length >= LIMITS.eventsPerCommit) this.flush();
  }

  /** Whether nothing may be done to it, so that nobody needs to be asked about it. */
  isProtected(ip: Ip): boolean {
    try {
      return this.#book.state(this.#policy, ip, this.#parts.clock.now()).protection !== null;
    } catch {
      // The database cannot be read: nothing new is refused.
      return true;
    }
  }

  /** The unit in which this address would be banned. */
  subject(ip: Ip): Prefix {
    return this.#protection.subject(ip, this.#policy.bans.ipv6Prefix);
  }

  ask(event: Event): Promise<Decision> {
    return new Promise((resolve) => this.submit(event, resolve));
  }

  /** Records a command on accounts, tokens or settings. Resolves false when the database could not take it. */
  audit(audit: Audit): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (!this.#begin(now)) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ answer: (decided) => resolve(decided === AUDITED), decided: AUDITED });
      try {
        this.#lastEventId = this.#parts.store.append(auditRow(audit, now));
      } catch (error) {
        this.#abandon(error, now);
      }
    });
  }

  /**
   * Records what a log told, and how far it has been read, in one transaction: nothing is lost or doubled by a kill.
   * Resolves false when the database could not take it.
   */
  observe(log: string, position: LogPosition, seen: readonly Observation[]): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (!this.#begin(now)) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ answer: (decided) => resolve(decided === AUDITED), decided: AUDITED });
      try {
        for (const one of seen)
          this.#lastEventId = this.#parts.store.append(observationRow(one, now, (ip) => this.subject(ip)));
        this.#parts.store.apply({ type: "READ_LOG", log, position }, now);
      } catch (error) {
        this.#abandon(error, now);
      }
    });
  }

  /** Commits what this turn has gathered and publishes it. */
  flush(): void {
    if (!this.#open) return;
    try {
      this.#parts.store.commit();
    } catch (error) {
      this.#abandon(error, this.#parts.clock.now());
      return;
    }
    this.#open = false;
    this.#parts.notices.clear("database_unwritable");
    const answered = this.#waiting;
    const what = { lastEventId: this.#lastEventId, bansChanged: this.#bansChanged, allowChanged: this.#allowChanged };
    this.#reset();
    this.#parts.committed(what);
    for (const { answer, decided } of answered) answer(decided ?? failOpen(null));
  }

  #begin(now: Millis): boolean {
    if (this.#open) return true;
    if (now < this.#storeRetryAt && now > this.#storeRetryAt - 2 * LIMITS.storeRetryMs) return false;
    try {
      this.#parts.store.begin();
      if (this.#protection.refresh(this.#policy, now)) this.#book.forget();
    } catch (error) {
      this.#abandon(error, now);
      return false;
    }
    this.#open = true;
    setImmediate(this.#flush);
    return true;
  }

  /** The transaction is lost: nothing of it happened, mail goes on, the owner is told. */
  #abandon(error: unknown, now: Millis): void {
    this.#parts.store.rollback();
    this.#open = false;
    this.#storeRetryAt = now + LIMITS.storeRetryMs;
    this.#book.forget();
    this.#parts.notices.raise("database_unwritable", error instanceof Error ? error.message : String(error));
    const answered = this.#waiting;
    this.#reset();
    for (const { answer, decided } of answered) answer(failOpen(decided));
  }

  #reset(): void {
    this.#waiting = [];
    this.#bansChanged = false;
    this.#allowChanged = false;
  }

  #step(event: Event, now: Millis): Decision {
    if ("prefix" in event) return this.#stepCommand(event, now);
    let state = this.#book.state(this.#policy, event.ip, now);
    if (state.ban !== null && state.ban.expiresAt !== null && state.ban.expiresAt <= now) {
      this.#stepCommand({ type: "BAN_EXPIRED", prefix: state.ban.prefix }, now);
      state = this.#book.state(this.#policy, event.ip, now);
    }
    const facts = this.#book.facts(this.#policy, state, this.#beyond(event), now);
    const decided = decide(this.#policy, facts, event, now);
    if (leavesRow(event, decided))
      this.#lastEventId = this.#parts.store.append(eventRow(event, decided, state.subject, now));
    if (event.type === "CONNECT") this.#sessions.begin(event.session);
    if (event.type === "MAIL" && decided.verdict === "pass") this.#sessions.addMail(event.session);
    if (decided.counted) this.#count(event, state, now);
    this.#apply(decided.changes, now);
    return decided;
  }

  #stepCommand(event: Command, now: Millis): Decision {
    if (event.type === "BAN_ASKED") this.#protection.refresh(this.#policy, now, true);
    const decided = decideCommand(
      {
        protection: event.type === "BAN_ASKED" ? this.#protection.of(event.prefix) : null,
        ban: this.#parts.history.ban(event.prefix),
        listed: event.type === "DISALLOW_ASKED" && this.#isListed(event.prefix),
        covered:
          event.type === "ALLOW_ASKED" ? this.#parts.history.bansWithin(event.prefix).map((ban) => ban.prefix) : [],
      },
      event,
      now,
    );
    if (leavesRow(event, decided))
      this.#lastEventId = this.#parts.store.append(eventRow(event, decided, event.prefix, now));
    this.#apply(decided.changes, now);
    return decided;
  }

  /** What is known of the event itself; a directory that cannot be read knows everybody. */
  #beyond(event: FromAddress): Who & Beyond {
    const account = "account" in event ? event.account : null;
    const sessionMails = event.type === "MAIL" ? this.#sessions.mails(event.session) : 0;
    const { recipients, acquaintance, networks } = this.#parts;
    const accountNetworks = "login" in event && event.service !== "dashboard" ? networks.networksOf(event.login) : [];
    const sender = { ip: event.ip, account, sessionMails, accountNetworks };
    if (event.type !== "RECIPIENT" || account !== null) return { ...sender, recipient: "known", firstContact: false };
    const firstContact = this.#policy.greylist && acquaintance.isFirstContact(event);
    return { ...sender, recipient: kindOf(this.#policy, recipients, event), firstContact };
  }

  #isListed(prefix: Prefix): boolean {
    return this.#parts.history.allowed().some((entry) => entry.prefix === prefix);
  }

  #count(event: FromAddress, state: AddressState, now: Millis): void {
    const keep = mostTimes(this.#policy);
    if (event.type === "CONNECT") push(state.connections, now, keep);
    else if (event.type === "RECIPIENT") push(state.probes, now, keep);
    else if (event.type === "LOGIN_FAILED") push(state.failures, { at: now, passwordHash: event.passwordHash }, keep);
    else if (event.type === "MAIL" && event.account === null) push(state.mails, now, keep);
    else if (event.type === "MAIL" && event.account !== null)
      this.#book.addAccountMail(this.#policy, event.account, now);
  }

  #apply(changes: readonly Change[], now: Millis): void {
    for (const change of changes) {
      this.#parts.store.apply(change, now);
      const row = changeRow(change, now);
      if (row !== null) this.#lastEventId = this.#parts.store.append(row);
      this.#remember(change, now);
    }
  }

  #remember(change: Change, now: Millis): void {
    switch (change.type) {
      case "KNOW": {
        const state = this.#book.peek(change.prefix);
        if (state !== undefined) state.knownAt = now;
        return;
      }
      case "CORRESPOND":
      case "READ_LOG":
        return;
      case "BAN":
      case "LIFT":
        this.#bansChanged = true;
        // Simplest is right: what a ban or its end means for every window is read from the database.
        this.#book.drop(change.type === "BAN" ? change.ban.prefix : change.prefix, this.#policy);
        return;
      case "ALLOW":
      case "DISALLOW":
        this.#allowChanged = true;
        this.#protection.refresh(this.#policy, now, true);
        this.#book.forget();
    }
  }

  /** While the database takes nothing: what is in force still holds, nothing new is begun. */
  #decideUnrecorded(event: Event, now: Millis): Decision | null {
    if ("prefix" in event) return null;
    try {
      const state = this.#book.state(this.#policy, event.ip, now);
      return decide(this.#policy, this.#book.facts(this.#policy, state, this.#beyond(event), now), event, now);
    } catch {
      return null;
    }
  }
}

const AUDITED = decision("pass", "manual", { counted: false });

function decide(policy: Policy, facts: Facts, event: FromAddress, now: Millis): Decision {
  switch (event.type) {
    case "CONNECT":
      return decideConnect(policy, facts, event, now);
    case "RECIPIENT":
      return decideRecipient(policy, facts, event, now);
    case "MAIL":
      return decideMail(policy, facts, event, now);
    case "MESSAGE":
      return decideMessage(facts, event);
    case "LOGIN_ASKED":
      return decideLoginAsked(policy, facts, event, now);
    case "LOGIN_SUCCEEDED":
      return decideLoginSucceeded(facts, event);
    case "LOGIN_FAILED":
      return decideLoginFailed(policy, facts, event, now);
  }
}
