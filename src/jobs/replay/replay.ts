import { sideEffectsOf } from "../../core/decide/command.ts";
import type { Ban, Change, Decision } from "../../core/decide/decision.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import type { ClientEvent, EventRecord } from "../../core/events/event.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { instant, MINUTE_MS, type Millis } from "../../core/time.ts";
import { EventProcessor } from "../../guard/event-processor.ts";
import { SmtpProgress } from "../../guard/facts/smtp-sessions.ts";
import type { Notices } from "../../guard/ports.ts";
import { recordedFacts } from "./recorded-facts.ts";
import type { ReplayHistory } from "./replay-history.ts";
import { type AskedStep, type DecidedStep, type ReplayStep, Unreached } from "./sequence.ts";

/** The outcome of an event under the other policy. Decision null: it would not have happened. */
export type Replayed = Readonly<{
  step: DecidedStep | AskedStep;
  decision: Decision | null;
  bans: readonly Ban[];
  spared: readonly Prefix[];
}>;

export type ReplayParts = Readonly<{
  policy: Policy;
  /** From the settings in force. */
  allowNow: readonly Prefix[];
  history: ReplayHistory;
  /** The machine's own networks now. */
  own: readonly OwnNetwork[];
}>;

const STEPS_PER_COMMIT = 500;
/** How often expired bans are looked for, in recorded time. */
const SWEEP_EVERY_MS = MINUTE_MS;
const BANS_PER_SWEEP = 1_000;

/** Decides recorded events again, with the guard's own code, under another policy, on its own history. */
export class Replay {
  readonly #parts: ReplayParts;
  readonly #facts: ReturnType<typeof recordedFacts>;
  readonly #unreached = new Unreached();
  readonly #changes: Change[] = [];
  #processor: EventProcessor;
  #now: Millis = instant(0);
  #steps = 0;
  #sweptAt: Millis = instant(0);

  constructor(parts: ReplayParts) {
    this.#parts = parts;
    const { policy, allowNow, own, history } = parts;
    this.#facts = recordedFacts({ ...history, policy, allowNow, own });
    this.#processor = this.#started();
  }

  /** The recorded decision and the new one for each event. Reads no further than the caller asks for. */
  *run(steps: Iterable<ReplayStep>): Generator<Replayed> {
    const { store } = this.#parts.history;
    store.begin();
    for (const step of steps) {
      this.#turn(step.at);
      switch (step.type) {
        case "decided":
          yield* this.#decided(step);
          break;
        case "asked":
          yield this.#asked(step);
          break;
        case "command":
          this.#processor.process(step.event, step.at);
          break;
        case "noted":
          this.#noted(step.record, step.at);
          break;
        case "unreadable":
      }
    }
    store.commit();
  }

  /** A guard that has just started: everything held in memory only is empty. */
  #started(): EventProcessor {
    const { policy } = this.#parts;
    const { store, history, jails, accounts, neighbours } = this.#parts.history;
    return new EventProcessor({
      policy,
      history,
      jails,
      accounts,
      neighbours,
      ...this.#facts.ports,
      store: {
        ...store,
        apply: (change, at) => {
          this.#changes.push(change);
          store.apply(change, at);
        },
      },
      notices: QUIET,
      progress: new SmtpProgress(),
    });
  }

  #turn(at: Millis): void {
    const { history } = this.#parts;
    this.#now = at;
    if (++this.#steps % STEPS_PER_COMMIT === 0) {
      history.store.commit();
      this.#processor.end(true);
      history.prune(at);
      history.store.begin();
    }
    this.#processor.facts.begin(at);
    if (Math.abs(at - this.#sweptAt) < SWEEP_EVERY_MS) return;
    // A ban that only the replay made has no recorded end. A recorded end comes within the minute.
    for (const prefix of history.banLog.expired(instant(at - SWEEP_EVERY_MS), BANS_PER_SWEEP))
      this.#processor.process({ type: "BAN_EXPIRED", prefix }, at);
    this.#sweptAt = at;
  }

  *#decided(step: DecidedStep): Generator<Replayed> {
    if (step.seen.restarted === true) {
      this.#processor = this.#started();
      this.#processor.facts.begin(step.at);
    }
    if (this.#unreached.has(step)) {
      yield { step, decision: null, bans: [], spared: [] };
      return;
    }
    const replayed = this.#decide(step, step.event);
    this.#unreached.update(step, replayed.decision);
    yield replayed;
    const { event, record } = step;
    const goesOn =
      event.type === "LOGIN_ASKED" && record.verdict === "refuse" && replayed.decision.verdict !== "refuse";
    // Its password was never verified. It was nearly always wrong; the true answer is unknown.
    if (goesOn) this.#decide(step, { ...event, type: "LOGIN_FAILED" });
  }

  #asked(step: AskedStep): Replayed {
    const replayed = this.#decide(step, step.event);
    if (replayed.decision.verdict === "refuse") this.#unreached.report(step.report);
    return replayed;
  }

  #decide<S extends DecidedStep | AskedStep>(step: S, event: ClientEvent) {
    for (const { ip, at } of step.seen.administrators ?? []) this.#processor.facts.administratorAt(ip, at);
    this.#processor.facts.restorePending(step.seen.pending ?? []);
    if (this.#facts.tell(event, step.seen)) this.#processor.facts.setPolicy(this.#parts.policy, this.#now);
    this.#changes.length = 0;
    const decision = this.#processor.process(event, step.at);
    const bans = this.#changes.flatMap((change) => (change.type === "BAN" ? [change.ban] : []));
    const spared = this.#changes.flatMap((change) => (change.type === "SPARE" ? [change.prefix] : []));
    return { step, decision, bans, spared };
  }

  #noted(record: EventRecord, at: Millis): void {
    const { rest, type } = record;
    const { store } = this.#parts.history;
    this.#processor.append(record);
    if (rest.event === "MAIL_TRIED" && rest.credit !== undefined) {
      if (!this.#unreached.mail(record.queueId)) store.apply({ type: "CREDIT", ...rest.credit }, at);
    } else if (rest.event === "MAIL_TRIED" && record.account !== null) {
      if (!this.#unreached.mail(record.queueId)) store.apply({ type: "NOTE_REFUSAL", account: record.account }, at);
    } else if (rest.event === "AUDIT") {
      for (const change of sideEffectsOf({ type, subject: rest.subject })) store.apply(change, at);
    }
  }
}

/** A replay reports on the past; it raises no notices about the present. */
const QUIET: Notices = { raise: () => {}, clear: () => {}, list: () => [] };
