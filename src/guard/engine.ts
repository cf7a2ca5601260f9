import { sideEffectsOf } from "../core/decide/command.ts";
import { type Change, type Decision, isIntermediatePass, type LogPosition } from "../core/decide/decision.ts";
import type { Policy } from "../core/decide/policy.ts";
import { protectionOf } from "../core/decide/sparing.ts";
import { messageOf } from "../core/error.ts";
import { type Audit, auditRecord, type NetworkEvent } from "../core/events/command.ts";
import { type Event, isLogin } from "../core/events/event.ts";
import { expiredFor, type Observation } from "../core/events/log.ts";
import type { Protection } from "../core/events/reasons.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import { CommitTimer } from "./commits.ts";
import { EventProcessor, type EventProcessorParts, type Trace } from "./event-processor.ts";
import { LIMITS } from "./limits.ts";
import type { Clock } from "./ports.ts";
import type { QueuedMail } from "./storage-ports.ts";

type OnDecided = (decision: Decision) => void;
/** What waits for the commit: the answer to an event, or a record without a decision. */
type Waiting =
  | Readonly<{ event: Event; answer: OnDecided; decided: Decision }>
  | Readonly<{ event: null; stored: (isStored: boolean) => void }>;

/** The changes of one transaction, for its subscribers. */
export type Committed = Readonly<Trace>;

type EngineParts = EventProcessorParts &
  Readonly<{
    clock: Clock;
    queuedMail: QueuedMail;
    /** Publishes. Called once after each commit, before the answers that waited for it. Must not throw or be slow. */
    committed: (what: Committed) => void;
    /** Called with the reason for a lost transaction. Must not throw. */
    lost?: (error: unknown) => void;
  }>;

/**
 * The five steps: event, facts, decide, commit, publish. The events of one or a few turns of the event loop share a transaction.
 * Nothing is answered before everything about it is committed, except an intermediate pass (docs/adr/0012). Single-threaded: each
 * event sees the changes of earlier ones.
 *
 * While the database cannot be written (`#isUnwritable`), decisions are unrecorded (`whatStillApplies`), and count only in memory.
 */
export class Engine {
  readonly startedAt: Millis;
  readonly #parts: EngineParts;
  readonly #processor: EventProcessor;
  #open = false;
  #waiting: Waiting[] = [];
  /** Events in the open transaction, including those already answered. */
  #events = 0;
  #storeRetryAt = 0;
  /** Whether simulated bans must end. `due`: the change is not written yet; `uncommitted`: it is in the open transaction. */
  #simulationEnd: "due" | "uncommitted" | null = null;
  /** Whether a transaction was lost, and no row was written since. */
  #isUnwritable = false;
  readonly #timer = new CommitTimer(() => this.commit());

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.startedAt = parts.clock.now();
    this.#processor = new EventProcessor(parts);
  }

  get policy(): Policy {
    return this.#processor.facts.policy;
  }

  /** The newest event of this engine; 0 before its first. */
  get lastEventId(): number {
    return this.#processor.trace.lastEventId;
  }

  setPolicy(policy: Policy): void {
    this.#processor.facts.setPolicy(policy, this.#parts.clock.now());
    this.simulationChanged();
  }

  /** Raises a notice while nothing is enforced; afterwards simulated decisions do not count as offences. */
  simulationChanged(): void {
    // The end of a simulation is the first change of the next transaction.
    this.commit();
    this.#simulationEnd = this.policy.simulate ? null : "due";
    this.#parts.notices.set("simulating", this.policy.simulate ? "" : null);
  }

  /** Whether the address is on a list of those that are never banned, so that no lookup about it is needed. */
  isProtected(ip: Ip): boolean {
    try {
      return this.#processor.facts.protection(ip, this.#parts.clock.now()) !== null;
    } catch {
      // The database cannot be read: nothing new is refused.
      return true;
    }
  }

  /** The prefix in which this address would be banned. */
  prefixOf(ip: Ip): Prefix {
    return this.#processor.facts.prefixOf(ip);
  }

  /** The reason that forbids a ban of this network now, by the rule that decides bans; null if none. */
  protectionOf(network: Prefix): Protection | null {
    const now = this.#parts.clock.now();
    return protectionOf(this.#processor.facts.sparing(network, now), now);
  }

  /** Notes that an administrator used a session or a token from this address, which is then not banned for a while. */
  administratorAt(ip: Ip): void {
    this.#processor.facts.administratorAt(ip, this.#parts.clock.now());
  }

  submit(event: Event, answer: OnDecided): void {
    const now = this.#parts.clock.now();
    // A pass for an account is answered before its commit, which may fail again. So check the limits in memory first.
    const refusal = this.#isUnwritable ? this.#processor.refusalWhileUnwritable(event, now) : null;
    if (refusal !== null) return answer(refusal);
    if (!this.#begin(now)) {
      answer(this.#processor.decideUnrecorded(event, now));
      return;
    }
    let decided: Decision;
    try {
      decided = this.#processor.process(event, now);
    } catch (error) {
      this.#abandon(error, now);
      answer(this.#processor.decideAgainUnrecorded(event, now));
      return;
    }
    // A sign-in that writes no row is committed even on a full disk, so the commit proves nothing. The sign-in is
    // decided again with what exists only in memory.
    if (this.#isUnwritable && isLogin(event) && !decided.recorded)
      decided = this.#processor.decideAgainUnrecorded(event, now);
    this.#events += 1;
    // After a change of bans or the allow list in this transaction, passes wait too, because they may depend on it.
    const { bansChanged, allowChanged } = this.#processor.trace;
    if (isIntermediatePass(event.type, decided) && !bansChanged && !allowChanged) {
      this.#timer.later();
      answer(decided);
    } else {
      this.#waiting.push({ event, answer, decided });
      this.#timer.soon();
    }
    if (this.#events >= LIMITS.eventsPerCommit) this.commit();
  }

  ask(event: Event): Promise<Decision> {
    return new Promise((resolve) => this.submit(event, resolve));
  }

  /** The decision that `ask` would return now, without carrying it out: for a dry run. */
  decideNetworkEvent(event: NetworkEvent): Decision {
    return this.#processor.decideNetworkEvent(event, this.#parts.clock.now());
  }

  /**
   * Records a command (null: already recorded) and its changes of `engine.db`; those of `accounts.db` follow (`recordFirst`).
   * Resolves false if the database could not store it.
   */
  audit(audit: Audit | null, changes: readonly Change[] = []): Promise<boolean> {
    return this.#record((now) => {
      if (audit !== null) this.#processor.append(auditRecord(audit, now));
      const sideEffects = audit === null ? [] : sideEffectsOf(audit);
      for (const change of [...sideEffects, ...changes]) this.#processor.apply(change, now);
    });
  }

  /**
   * Records events from a log, and its read position, in one transaction: a kill neither loses nor duplicates events.
   * Resolves false if the database could not store them.
   */
  observe(log: string, position: LogPosition, observations: readonly Observation[]): Promise<boolean> {
    return this.#record((now) => {
      for (const seen of observations) {
        // Looked up only now, because the lines before it may be about the same mail.
        const isEnd = seen.type === "MAIL_EXPIRED";
        const each = isEnd ? expiredFor(seen, this.#parts.queuedMail.waitingRecipients(seen.queueId)) : [seen];
        for (const one of each) this.#processor.observeLog(one, now);
      }
      this.#parts.store.apply({ type: "READ_LOG", log, position }, now);
    });
  }

  /** Commits and publishes the open transaction. `WalFlush` (store/maintenance/write-ahead-log.ts) brings it to the disk afterwards. */
  commit(): void {
    if (!this.#open) return;
    try {
      this.#parts.store.commit();
    } catch (error) {
      this.#abandon(error, this.#parts.clock.now());
      return;
    }
    // A record without a decision always writes a row.
    if (this.#processor.hasNewRows || this.#waiting.some(({ event }) => event === null)) this.#isUnwritable = false;
    if (!this.#isUnwritable) this.#parts.notices.set("database_unwritable", null);
    const what = { ...this.#processor.trace };
    const answered = this.#end(true);
    this.#parts.committed(what);
    for (const one of answered)
      if (one.event === null) one.stored(true);
      else one.answer(one.decided);
  }

  #record(write: (now: Millis) => void): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (!this.#begin(now)) return Promise.resolve(false);
    this.#events += 1;
    this.#timer.soon();
    return new Promise((resolve) => {
      this.#waiting.push({ event: null, stored: resolve });
      try {
        write(now);
      } catch (error) {
        this.#abandon(error, now);
      }
    });
  }

  #begin(now: Millis): boolean {
    if (this.#open) return true;
    // The wait is ignored if the clock was set back.
    if (now < this.#storeRetryAt && now > this.#storeRetryAt - 2 * LIMITS.storeRetryMs) return false;
    try {
      this.#parts.store.begin();
      this.#processor.facts.begin(now);
      if (this.#simulationEnd === "due") {
        this.#processor.apply({ type: "END_SIMULATION" }, now);
        // If the commit fails, the next transaction ends the simulation.
        this.#simulationEnd = "uncommitted";
      }
    } catch (error) {
      this.#abandon(error, now);
      return false;
    }
    this.#open = true;
    return true;
  }

  /** The transaction is lost: none of it was stored, mail is accepted, and there is a notice. */
  #abandon(error: unknown, now: Millis): void {
    this.#parts.store.rollback();
    this.#storeRetryAt = now + LIMITS.storeRetryMs;
    this.#isUnwritable = true;
    this.#parts.notices.set("database_unwritable", messageOf(error));
    this.#parts.lost?.(error);
    for (const one of this.#end(false))
      if (one.event === null) one.stored(false);
      else one.answer(this.#processor.decideAgainUnrecorded(one.event, now));
  }

  #end(committed: boolean): readonly Waiting[] {
    const answered = this.#waiting;
    this.#open = false;
    this.#waiting = [];
    this.#events = 0;
    this.#timer.ended();
    this.#processor.end(committed);
    if (this.#simulationEnd === "uncommitted") this.#simulationEnd = committed ? null : "due";
    return answered;
  }
}
