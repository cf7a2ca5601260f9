import type { NetworkEventFacts } from "../../core/decide/command.ts";
import type { Change, Decision } from "../../core/decide/decision.ts";
import type { PendingPassword, SparingFacts } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { NetworkEvent } from "../../core/events/command.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import type { Consequence, Observation } from "../../core/events/log.ts";
import { isBounce } from "../../core/events/mail.ts";
import type { Protection } from "../../core/events/reasons.ts";
import type { AskedBefore, Remembered } from "../../core/events/seen.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { Notices } from "../ports.ts";
import type { AllowEntry, BansInForce, HonestMail } from "../storage-ports.ts";
import { AddressCache } from "./address-cache.ts";
import { EventFacts } from "./event-facts.ts";
import type { FactPorts, FactSources } from "./fact-sources.ts";
import { LoginFacts } from "./login-facts.ts";
import { MailOrigins } from "./mail-origins.ts";
import { PendingLogins, PendingPasswords } from "./pending-logins.ts";
import { SentMails } from "./sending.ts";
import { NamedRecipients, SmtpSessions } from "./smtp-sessions.ts";
import { ProtectionList, SparingMemory } from "./sparing.ts";
import { createUnrecordedFacts } from "./unrecorded-facts.ts";
import { WholeServerWindows } from "./whole-server-windows.ts";

export type FactBaseParts = FactPorts &
  Readonly<{ policy: Policy; bansInForce: BansInForce; honest: HonestMail; notices: Notices }>;

/** All facts: finds those of an event, and applies decisions to them. */
export class FactBase {
  readonly #bansInForce: BansInForce;
  readonly #protection: ProtectionList;
  readonly #mailOrigins: MailOrigins;
  #sources: FactSources;
  readonly #pendingLogins = new PendingLogins();
  readonly #pendingPasswords = new PendingPasswords();
  readonly #unrecorded: ReturnType<typeof createUnrecordedFacts>;
  #startedAt = 0;
  /** Nothing has been recorded since the start. */
  #isFirst = true;

  constructor(parts: FactBaseParts) {
    this.#bansInForce = parts.bansInForce;
    this.#protection = new ProtectionList(parts.own, parts.bansInForce);
    this.#mailOrigins = new MailOrigins(parts.honest, parts.sending);
    const named = new NamedRecipients();
    this.#unrecorded = createUnrecordedFacts(parts, this.#pendingPasswords, named);
    this.#sources = {
      policy: parts.policy,
      ports: parts,
      addresses: new AddressCache(parts.history, this.#protection),
      logins: new LoginFacts(parts.accounts, this.#pendingPasswords),
      sessions: new SmtpSessions(),
      named,
      sent: new SentMails(parts.sending),
      sparing: new SparingMemory(this.#protection, parts.notices),
      wholeServer: new WholeServerWindows(),
    };
  }

  get policy(): Policy {
    return this.#sources.policy;
  }

  /** Replaces the whole policy. Windows may reach further back. */
  setPolicy(policy: Policy, now: Millis): void {
    this.#sources = { ...this.#sources, policy };
    this.#refresh(now, true);
    this.forget();
  }

  /** Call it at the start of each transaction: own addresses and the allow list may have changed. */
  begin(now: Millis): void {
    // After the clock was set back, times in memory lie in the future, so they are read again.
    if (now < this.#startedAt) {
      this.forget();
      this.#sources = { ...this.#sources, wholeServer: new WholeServerWindows() };
    }
    this.#startedAt = now;
    this.#refresh(now, false);
  }

  /** Makes later facts read windows from the database again. */
  forget(): void {
    this.#sources.addresses.forget();
    this.#sources.sent.forget();
  }

  of(event: ClientEvent, now: Millis): EventFacts {
    return new EventFacts(this.#sources, event, this.#sources.addresses.state(this.policy, event.ip, now), now);
  }

  /** The facts of an event while the database cannot be written. */
  ofUnrecorded(event: ClientEvent, now: Millis): EventFacts {
    return this.#unrecorded.of(this.#sources, event, now);
  }

  ofNetworkEvent({ prefix }: NetworkEvent, now: Millis): NetworkEventFacts {
    const bansInForce = this.#bansInForce;
    return {
      sparing: (network) => this.sparing(network, now),
      get ban() {
        return bansInForce.ban(prefix);
      },
      get listed(): AllowEntry | null {
        return bansInForce.allowEntries().find((entry) => entry.prefix === prefix) ?? null;
      },
      get covered() {
        return bansInForce.bansWithin(prefix).map((ban) => ban.prefix);
      },
    };
  }

  /** The facts that may forbid a ban of this network. Reads the lists of protected networks again now. */
  sparing(network: Prefix, now: Millis): SparingFacts {
    this.#refresh(now, true);
    return this.#sources.sparing.facts(network, now);
  }

  /** What protects the prefix of this address, according to the lists. */
  protection(ip: Ip, now: Millis): Protection | null {
    return this.#sources.addresses.state(this.policy, ip, now).protection;
  }

  /** The prefix in which this address would be banned. */
  prefixOf(ip: Ip): Prefix {
    return this.#protection.prefixOf(ip, this.policy.bans.ipv6Prefix);
  }

  administratorAt(ip: Ip, now: Millis): void {
    this.#sources.sparing.administratorAt(ip, now);
  }

  /** Call it before the decision, because the rule about all clients (core/decide/sparing.ts) includes this event. */
  countClient(event: ClientEvent, now: Millis): void {
    this.#sources.sparing.countClient(event, now);
  }

  /**
   * Takes what only this process knows about a decided event, for its row: replays read it, and `sqliteSendingHistory` reads `sentTo`.
   * Call it once for each event.
   */
  takeRemembered(
    event: ClientEvent,
    decided: Decision,
    { network, state, sending }: EventFacts,
    moment: Omit<AskedBefore, "nth">,
  ): Remembered {
    // Other refusals, by a ban or the account's networks, do not depend on pending passwords.
    const isRefusedUnchecked =
      event.type === "LOGIN_ASKED" &&
      decided.verdict === "refuse" &&
      (decided.evidence !== null || decided.reason === "right_password_guarded");
    const isReport = event.type === "LOGIN_SUCCEEDED" || event.type === "LOGIN_FAILED";
    const restarted = this.#isFirst || undefined;
    if (decided.recorded) this.#isFirst = false;
    else if (event.type === "LOGIN_ASKED") this.#pendingLogins.passed(event, moment);
    const { written, strangers } = sending.mail;
    return {
      sentTo: event.type === "DATA" && written + strangers > 0 ? { written, strangers } : undefined,
      asked: isReport ? this.#pendingLogins.take(event) : undefined,
      administrators: this.#sources.sparing.administratorsIn(network, moment.at),
      restarted,
      pending: isRefusedUnchecked ? this.#sources.logins.recorded(event, state, moment.at) : undefined,
    };
  }

  /** For a replay: restores the pending passwords that an event recorded. */
  restorePending(all: readonly PendingPassword[]): void {
    this.#pendingPasswords.restore(all);
  }

  /** Applies a decided event to the facts of later events. */
  update(event: ClientEvent, decided: Decision, facts: EventFacts, now: Millis): void {
    const { state } = facts;
    const { addresses, sessions, wholeServer, sent, named } = this.#sources;
    if (event.type === "RECIPIENT") wholeServer.update(event, facts, decided, now);
    const passed = decided.verdict === "pass";
    if (decided.counted) addresses.count(this.policy, event, state, now);
    if (event.type === "CONNECT") sessions.begin(event.session);
    if (event.type === "RECIPIENT") sessions.addRecipient(event.session);
    if (event.type === "RECIPIENT" && (passed || isBounce(event))) sessions.addToGroup(event);
    if (event.type === "DATA" && passed) sessions.addMail(event.session);
    // Only `below_limit`: protected clients need no credit, and held mail or mail despite a simulated ban earns none.
    if (event.type === "END_OF_MESSAGE" && decided.reason === "below_limit")
      this.#mailOrigins.accepted(event, facts, now);
    if (event.type === "DATA" && event.account !== null && decided.counted)
      sent.count(this.policy, event.account, { at: now, ...facts.sending.mail });
    // After `accepted`, which counts the strangers among the recipients that this forgets.
    named.update(event, decided, facts.sending);
    this.#sources.logins.update(event, decided, facts, now);
  }

  updateUnrecorded(event: ClientEvent, decided: Decision, facts: EventFacts, now: Millis): void {
    this.#unrecorded.update(event, decided, facts, now);
  }

  /** Reverts the pending password and the named recipient of an event that is decided again. */
  undo(event: ClientEvent, now: Millis): void {
    if (event.type === "RECIPIENT" && event.recipient !== null) this.#sources.named.undoAdd(event, event.recipient);
    if (event.type === "LOGIN_ASKED") this.#sources.logins.reported(event, this.ofUnrecorded(event, now));
  }

  /** Applies a change to the state in memory. */
  applyChange(change: Change, now: Millis): void {
    const { addresses, sparing } = this.#sources;
    switch (change.type) {
      case "KNOW":
        addresses.know(change.prefix, now);
        return;
      case "SPARE":
        sparing.spared(change.prefix, now);
        return;
      case "BAN":
      case "LIFT":
        // The simplest correct way is to read the windows again, because a ban or its end affects each of them.
        addresses.drop(change.type === "BAN" ? change.ban.prefix : change.prefix, this.policy);
        return;
      case "ALLOW":
      case "DISALLOW":
        this.#refresh(now, true);
        return;
      case "END_SIMULATION":
      case "FORGET_PLACES":
        this.forget();
        return;
      // Nothing else is held in memory.
      default:
    }
  }

  /** What a log line means for the server that a mail came from or went to, or for the account that sent it. */
  consequenceOf(observation: Observation, now: Millis): Consequence | null {
    return this.#mailOrigins.consequenceOf(observation, this.policy, now);
  }

  /** Call it after each transaction. Forgets the facts of a lost one. */
  ended(isCommitted: boolean): void {
    this.#mailOrigins.ended(isCommitted);
    if (isCommitted) return;
    this.#protection.expire();
    this.forget();
  }

  #refresh(now: Millis, force: boolean): void {
    if (this.#protection.refresh(this.policy, now, force)) this.forget();
  }
}
