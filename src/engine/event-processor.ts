import { decide } from "../core/decide/decide.ts";
import type { Change, Decision } from "../core/decide/decision.ts";
import type { Policy } from "../core/decide/policy.ts";
import type { ClientEvent, CommandEvent, Event } from "../core/events/event.ts";
import type { Observation } from "../core/events/log.ts";
import { changeRecord, type EventRecord, observationRecord, recordOf, type Where } from "../core/events/record.ts";
import { seenIn } from "../core/events/seen.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import { NO_SIGHTINGS, noted, type Sighting, sightingOf } from "./alerts/ban-leak-monitor.ts";
import { AddressCache } from "./facts/address-cache.ts";
import { Circumstances, type CircumstancesParts } from "./facts/circumstances.ts";
import { MailsUnderWay } from "./facts/mails-under-way.ts";
import { Neighbours } from "./facts/neighbours.ts";
import { ProtectionList } from "./facts/protection.ts";
import { Sparing } from "./facts/sparing.ts";
import type { AllowEntry, Clock, History, HonestMail, NetworkHistory, Notices, OwnNetworks, Store } from "./ports.ts";

/** Where the facts come from, and where rows and changes go. */
export type JudgeParts = CircumstancesParts &
  Readonly<{
    policy: Policy;
    store: Store;
    history: History;
    own: OwnNetworks;
    honest: HonestMail;
    neighbours: NetworkHistory;
    notices: Notices;
    clock: Clock;
  }>;

/** What the open transaction has brought so far. */
export type Trace = {
  lastEventId: number;
  bansChanged: boolean;
  allowChanged: boolean;
  sightings: readonly Sighting[];
};

/** Gathers the facts of an event, has it decided, and writes what follows into the open transaction. */
export class EventProcessor {
  readonly #parts: JudgeParts;
  readonly #protection: ProtectionList;
  readonly #book: AddressCache;
  readonly #sparing: Sparing;
  readonly #circumstances: Circumstances;
  readonly #neighbours: Neighbours;
  readonly #underWay: MailsUnderWay;
  readonly #trace: Trace = { lastEventId: 0, bansChanged: false, allowChanged: false, sightings: [] };
  #policy: Policy;
  #began = 0;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
    this.#policy = parts.policy;
    this.#protection = new ProtectionList(parts.own, parts.history);
    this.#book = new AddressCache(parts.history, this.#protection);
    this.#sparing = new Sparing(this.#protection, parts.notices);
    this.#circumstances = new Circumstances(parts);
    this.#underWay = new MailsUnderWay(parts.honest);
    const { history, neighbours: networks, accounts, honest } = parts;
    this.#neighbours = new Neighbours({ history, networks, honest, accounts, sparing: this.#sparing });
  }

  get policy(): Policy {
    return this.#policy;
  }

  get trace(): Readonly<Trace> {
    return this.#trace;
  }

  /** Swaps the policy whole; windows are read anew, since they may reach further now. */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
    this.#book.forget();
    this.#protection.refresh(policy, this.#parts.clock.now(), true);
  }

  /** At the start of each transaction: own addresses and the allow list may have changed. */
  begin(now: Millis): void {
    // Where the clock was set back, what is remembered lies ahead: it is read anew, but for that.
    const isSetBack = now < this.#began;
    this.#began = now;
    if (this.#protection.refresh(this.#policy, now) || isSetBack) this.#book.forget();
  }

  /** After the end of each: the next begins a trace of its own. */
  end(committed: boolean): void {
    this.#trace.bansChanged = false;
    this.#trace.allowChanged = false;
    this.#trace.sightings = NO_SIGHTINGS;
    // What was remembered of a lost transaction never happened.
    if (!committed) this.#book.forget();
  }

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

  administratorAt(ip: Ip, now: Millis): void {
    this.#sparing.administratorAt(ip, now);
  }

  /** Writes a row; by itself one that nobody decided. */
  append(record: EventRecord): void {
    this.#trace.lastEventId = this.#parts.store.append(record);
  }

  /** What a log told: a row, and what it says for the server that a mail came from. */
  observe(seen: Observation, now: Millis): void {
    const credit = this.#underWay.creditOf(seen, this.#policy.bans.ipv6Prefix);
    const record = observationRecord(seen, now, (ip) => this.subject(ip), credit);
    if (record !== null) this.append(record);
    if (credit !== null) this.#apply([credit], now);
  }

  /** Facts, decision, row and changes of one event. Throws when the database takes no writes. */
  step(event: Event, now: Millis): Decision {
    if ("prefix" in event) return this.#stepCommand(event, now);
    let state = this.#book.state(this.#policy, event.ip, now);
    if (state.ban !== null && state.ban.expiresAt !== null && state.ban.expiresAt <= now) {
      this.#stepCommand({ type: "BAN_EXPIRED", prefix: state.ban.prefix }, now);
      state = this.#book.state(this.#policy, event.ip, now);
    }
    const facts = this.#book.facts(this.#policy, state, this.#circumstances.of(this.#policy, event, state, now), now);
    this.#sparing.observe(event, now);
    const decided = this.#sparing.apply(decide(this.#policy, facts, event, now), event, now);
    this.#record(event, decided, { subject: state.subject, at: now, seen: seenIn(facts) });
    this.#circumstances.follow(event, decided, state, now);
    this.#trace.sightings = noted(this.#trace.sightings, sightingOf(event, decided, state, now));
    if (decided.counted) this.#book.count(this.#policy, event, state, now);
    if (event.type === "MESSAGE" && decided.reason === "below_limit")
      this.#underWay.accepted(event, state.subject, state.network);
    this.#apply(decided.changes, now);
    if (!isWithoutBan(event)) this.#apply(this.#neighbours.changes(this.#policy, decided, facts, now), now);
    return decided;
  }

  #stepCommand(event: CommandEvent, now: Millis): Decision {
    if (event.type === "BAN_ASKED") this.#protection.refresh(this.#policy, now, true);
    const decided = decide(
      this.#policy,
      {
        protection: event.type === "BAN_ASKED" ? this.#sparing.why(event.prefix, now) : null,
        ban: this.#parts.history.ban(event.prefix),
        listed: event.type === "DISALLOW_ASKED" || event.type === "ALLOW_EXPIRED" ? this.#listing(event.prefix) : null,
        covered:
          event.type === "ALLOW_ASKED" ? this.#parts.history.bansWithin(event.prefix).map((ban) => ban.prefix) : [],
      },
      event,
      now,
    );
    this.#record(event, decided, { subject: event.prefix, at: now });
    this.#apply(decided.changes, now);
    return decided;
  }

  #listing(prefix: Prefix): AllowEntry | null {
    return this.#parts.history.allowed().find((entry) => entry.prefix === prefix) ?? null;
  }

  #record(event: Event, decided: Decision, where: Where): void {
    const record = recordOf(event, decided, where);
    if (record !== null) this.append(record);
  }

  #apply(changes: readonly Change[], now: Millis): void {
    for (const change of changes) {
      this.#parts.store.apply(change, now);
      const record = changeRecord(change, now);
      if (record !== null) this.append(record);
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
      case "GUESS":
      case "FORGET_GUESSES":
      case "SPARE":
      case "CORRESPOND":
      case "READ_LOG":
      case "HEAR_JAIL":
      case "CREDIT":
        return;
      case "BAN":
      case "LIFT":
        this.#trace.bansChanged = true;
        // Simplest is right: what a ban or its end means for every window is read from the database.
        this.#book.drop(change.type === "BAN" ? change.ban.prefix : change.prefix, this.#policy);
        return;
      case "ALLOW":
      case "DISALLOW":
        this.#trace.allowChanged = true;
        this.#protection.refresh(this.#policy, now, true);
        this.#book.forget();
    }
  }

  /** While the database takes nothing: what is in force still holds, nothing new is begun. */
  decideUnrecorded(event: Event, now: Millis): Decision | null {
    if ("prefix" in event) return null;
    try {
      const state = this.#book.state(this.#policy, event.ip, now);
      const facts = this.#book.facts(this.#policy, state, this.#circumstances.of(this.#policy, event, state, now), now);
      return decide(this.#policy, facts, event, now);
    } catch {
      return null;
    }
  }
}

function isWithoutBan(event: ClientEvent): boolean {
  return (event.type === "LOGIN_FAILED" || event.type === "LOGIN_ASKED") && event.withoutBan === true;
}
