import { decideNetworkEvent } from "../core/decide/command.ts";
import { decide } from "../core/decide/decide.ts";
import type { Change, Decision } from "../core/decide/decision.ts";
import { UNRECORDED_PASS, whatStillApplies } from "../core/decide/unrecorded.ts";
import { changeRecord, type NetworkEvent } from "../core/events/command.ts";
import {
  type ClientEvent,
  type Event,
  type EventRecord,
  isLogin,
  isNetworkEvent,
  type RecordContext,
  recordOf,
} from "../core/events/event.ts";
import { type Observation, observationRecord } from "../core/events/log.ts";
import { isOver, type Millis } from "../core/time.ts";
import { type Sighting, sightingOf } from "./enforce/ban-leak-monitor.ts";
import type { EventFacts } from "./facts/event-facts.ts";
import { FactBase, type FactBaseParts } from "./facts/fact-base.ts";
import type { Store } from "./storage-ports.ts";

/** Where the facts come from, and where rows and changes go. */
export type EventProcessorParts = FactBaseParts & Readonly<{ store: Store }>;

/** Changes of the open transaction so far. */
export type Trace = {
  lastEventId: number;
  bansChanged: boolean;
  allowChanged: boolean;
  /** A banned client that got through. One is enough for the notice, preferably one that did not come through a proxy. */
  sighting: Sighting | null;
};

/** Gathers the facts of an event, decides, and writes the outcome into the open transaction. */
export class EventProcessor {
  readonly #store: Store;
  readonly facts: FactBase;
  #idAtBegin: number;
  /**
   * Keeps the latest objects of each kind that decisions use, because the guard's objects live for only one question. At a full garbage
   * collection V8 forgets shapes (hidden classes) without objects, and drops the code compiled for them, which made thousands of questions
   * slow.
   */
  readonly #decisionShapes = new Map<string, readonly unknown[]>();
  readonly #recordShapes = new Map<string, readonly unknown[]>();
  readonly #trace: Trace;

  constructor(parts: EventProcessorParts) {
    this.#store = parts.store;
    this.#idAtBegin = parts.store.lastId();
    this.#trace = { lastEventId: this.#idAtBegin, bansChanged: false, allowChanged: false, sighting: null };
    this.facts = new FactBase(parts);
  }

  /** Facts, decision, row and changes of one event. Throws if the database cannot be written. */
  process(event: Event, now: Millis): Decision {
    if (isNetworkEvent(event)) {
      const decided = this.decideNetworkEvent(event, now);
      this.#write(event, decided, { prefix: event.prefix, at: now });
      return decided;
    }
    this.facts.countClient(event, now);
    const facts = this.factsAfterExpiry(event, now);
    const decided = decide(this.facts.policy, facts, event, now);
    const remembered = this.facts.takeRemembered(event, decided, facts, { at: now, after: this.#trace.lastEventId });
    // Comes before `facts.seen`, which ends all look-ups of these facts, and which reads no window that `update` changes.
    this.facts.update(event, decided, facts, now);
    const sighting = sightingOf(event, decided, facts, now);
    if (sighting !== null && this.#trace.sighting?.mayBeProxied !== false) this.#trace.sighting = sighting;
    const context = { prefix: facts.prefix, at: now, seen: facts.seen(remembered) };
    this.#write(event, decided, context);
    this.#decisionShapes.set(event.type, [event, facts, decided, remembered, context]);
    return decided;
  }

  /** The facts of an event. First ends expired bans of the address or of a network around it. */
  factsAfterExpiry(event: ClientEvent, now: Millis): EventFacts {
    for (;;) {
      const facts = this.facts.of(event, now);
      if (facts.ban === null || !isOver(facts.ban.expiresAt, now)) return facts;
      const ended = this.process({ type: "BAN_EXPIRED", prefix: facts.ban.prefix }, now);
      if (ended.changes.length === 0) return facts;
    }
  }

  #write(event: Event, decided: Decision, context: RecordContext): void {
    const record = recordOf(event, decided, context);
    if (record !== null) this.append(record);
    for (const change of decided.changes) this.apply(change, context.at);
  }

  /** Writes a change and its record, if it has one (`changeRecord`), and updates the state in memory. */
  apply(change: Change, now: Millis): void {
    this.#store.apply(change, now);
    const record = changeRecord(change, now);
    if (record !== null) this.append(record);
    this.facts.applyChange(change, now);
    if (change.type === "BAN" || change.type === "LIFT") this.#trace.bansChanged = true;
    if (change.type === "ALLOW" || change.type === "DISALLOW") this.#trace.allowChanged = true;
  }

  /** Writes a row. Called directly for rows without a decision. */
  append(record: EventRecord): void {
    this.#trace.lastEventId = this.#store.append(record);
    this.#recordShapes.set(record.rest.event, [record]);
  }

  /** Writes a log line's event, and its consequences for a server or an account. */
  observeLog(observation: Observation, now: Millis): void {
    const consequence = this.facts.consequenceOf(observation, now);
    const record = observationRecord(observation, now, (ip) => this.facts.prefixOf(ip), consequence);
    if (record !== null) this.append(record);
    if (consequence !== null) this.apply(consequence, now);
  }

  /** While the database cannot be written: bans in force hold, and wrong passwords count but cause no ban. */
  decideUnrecorded(event: Event, now: Millis): Decision {
    if (isNetworkEvent(event)) return UNRECORDED_PASS;
    try {
      const facts = this.facts.ofUnrecorded(event, now);
      const asked: ClientEvent = isLogin(event) ? { ...event, withoutBan: "unwritable" } : event;
      const decided = decide(this.facts.policy, facts, asked, now);
      this.facts.updateUnrecorded(event, decided, facts, now);
      return whatStillApplies(event, decided);
    } catch {
      return UNRECORDED_PASS;
    }
  }

  /** The decision on a network event now, without effects. */
  decideNetworkEvent(event: NetworkEvent, now: Millis): Decision {
    return decideNetworkEvent(this.facts.ofNetworkEvent(event, now), event, now);
  }

  /** The refusal, deferral or hold that stops an account's mail while the database cannot be written; null: none. */
  refusalWhileUnwritable(event: Event, now: Millis): Decision | null {
    if ((event.type !== "RECIPIENT" && event.type !== "DATA") || event.account === null) return null;
    const decided = this.decideUnrecorded(event, now);
    if (decided.verdict !== "pass") return decided;
    // A DATA that counted here needs no undo: it counts once for each transaction (`UnrecordedSends`).
    this.facts.undo(event, now);
    return null;
  }

  /** Decides an event again after its transaction was lost. */
  decideAgainUnrecorded(event: Event, now: Millis): Decision {
    if (!isNetworkEvent(event)) this.facts.undo(event, now);
    return this.decideUnrecorded(event, now);
  }

  get trace(): Readonly<Trace> {
    return this.#trace;
  }

  /** Whether the open transaction has written a row. */
  get hasNewRows(): boolean {
    return this.#trace.lastEventId !== this.#idAtBegin;
  }

  /** Call it after each transaction. The next one starts its own trace. */
  end(committed: boolean): void {
    this.#trace.bansChanged = false;
    this.#trace.allowChanged = false;
    this.#trace.sighting = null;
    this.facts.ended(committed);
    if (committed) this.#idAtBegin = this.#trace.lastEventId;
    else this.#trace.lastEventId = this.#idAtBegin;
  }
}
