import { sideEffectsOf } from "../../core/decide/command.ts";
import type { Ban, Change, Decision } from "../../core/decide/decision.ts";
import type { ClientEvent, EventRecord } from "../../core/events/event.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { instant, MINUTE_MS, type Millis } from "../../core/time.ts";
import { EventProcessor } from "../../guard/event-processor.ts";
import type { Notices } from "../../guard/ports.ts";
import { type ReplayParts, recordedFacts } from "./recorded-facts.ts";
import { type AskedStep, type DecidedStep, type ReplayStep, Unreached } from "./sequence.ts";

/** The outcome of an event under the other policy. Decision null: it would not have happened. */
export type Replayed = Readonly<{
  step: DecidedStep | AskedStep;
  decision: Decision | null;
  bans: readonly Ban[];
  spared: readonly Prefix[];
}>;

const STEPS_PER_COMMIT = 500;
/** How often expired bans are looked for, in recorded time. */
const SWEEP_EVERY_MS = MINUTE_MS;
const BANS_PER_SWEEP = 1_000;

/**
 * Decides recorded events again, with the guard's own code, under another policy, on its own history. Yields the recorded decision and the
 * new one for each event. Reads no further than the caller asks for.
 */
export function* replay(parts: ReplayParts, steps: Iterable<ReplayStep>): Generator<Replayed> {
  const { policy, history } = parts;
  const { store, banLog, prune, ...known } = history;
  const facts = recordedFacts(parts);
  const unreached = new Unreached();
  const changes: Change[] = [];
  let now: Millis = instant(0);
  let taken = 0;
  let sweptAt: Millis = instant(0);
  let processor = started();

  store.begin();
  for (const step of steps) {
    turn(step.at);
    switch (step.type) {
      case "decided":
        yield* decided(step);
        break;
      case "asked":
        yield asked(step);
        break;
      case "command":
        processor.process(step.event, step.at);
        break;
      case "noted":
        noted(step.record, step.at);
        break;
      case "restarted":
        processor = started();
        processor.facts.begin(step.at);
    }
  }
  store.commit();

  /** A guard that has just started: everything held in memory only is empty. */
  function started(): EventProcessor {
    return new EventProcessor({
      policy,
      ...known,
      ...facts.ports,
      store: {
        ...store,
        apply: (change, at) => {
          changes.push(change);
          store.apply(change, at);
        },
      },
      notices: QUIET,
    });
  }

  function turn(at: Millis): void {
    now = at;
    if (++taken % STEPS_PER_COMMIT === 0) {
      store.commit();
      processor.end(true);
      prune(at);
      store.begin();
    }
    processor.facts.begin(at);
    if (Math.abs(at - sweptAt) < SWEEP_EVERY_MS) return;
    // Ends bans that only the replay made, which have no recorded end. Recorded ends come within a minute.
    for (const prefix of banLog.expired(instant(at - SWEEP_EVERY_MS), BANS_PER_SWEEP))
      processor.process({ type: "BAN_EXPIRED", prefix }, at);
    sweptAt = at;
  }

  function* decided(step: DecidedStep): Generator<Replayed> {
    if (unreached.has(step)) {
      yield { step, decision: null, bans: [], spared: [] };
      return;
    }
    const replayed = decide(step, step.event);
    unreached.update(step, replayed.decision);
    yield replayed;
    const { event, record } = step;
    const continues =
      event.type === "LOGIN_ASKED" && record.verdict === "refuse" && replayed.decision.verdict !== "refuse";
    // It was refused at that time, so its password was never verified. Nearly always it was wrong.
    if (continues) decide(step, { ...event, type: "LOGIN_FAILED" });
  }

  function asked(step: AskedStep): Replayed {
    const replayed = decide(step, step.event);
    if (replayed.decision.verdict === "refuse") unreached.report(step.report);
    return replayed;
  }

  function decide<S extends DecidedStep | AskedStep>(step: S, event: ClientEvent) {
    // Administrators whom only the report saw signed in after its question.
    for (const { ip, at } of step.seen.administrators ?? [])
      if (step.type === "decided" || at < step.at) processor.facts.administratorAt(ip, at);
    processor.facts.restorePending(step.seen.pending ?? []);
    if (facts.learn(event, step.seen)) processor.facts.setPolicy(policy, now);
    changes.length = 0;
    const decision = processor.process(event, step.at);
    const bans = changes.flatMap((change) => (change.type === "BAN" ? [change.ban] : []));
    const spared = changes.flatMap((change) => (change.type === "SPARE" ? [change.prefix] : []));
    return { step, decision, bans, spared };
  }

  function noted(record: EventRecord, at: Millis): void {
    const { rest, type } = record;
    processor.append(record);
    if (rest.event === "MAIL_TRIED") {
      if (unreached.mail(record.queueId)) return;
      if (rest.credit !== undefined) store.apply({ type: "CREDIT", ...rest.credit }, at);
      else if (record.account !== null) store.apply({ type: "NOTE_REFUSAL", account: record.account }, at);
    } else if (rest.event === "AUDIT") {
      for (const change of sideEffectsOf({ ...rest, type })) processor.apply(change, at);
    }
  }
}

/** A replay reports on the past; it raises no notices about the present. */
const QUIET: Notices = { set: () => {}, list: () => [] };
