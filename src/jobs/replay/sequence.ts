import { BoundedMap } from "../../core/bounded-map.ts";
import type { Ban, Decision } from "../../core/decide/decision.ts";
import type { NetworkEvent } from "../../core/events/command.ts";
import { type ClientEvent, type EventRecord, eventOf, isNetworkEvent } from "../../core/events/event.ts";
import type { LoginAsked } from "../../core/events/login.ts";
import type { Seen } from "../../core/events/seen.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";
import type { Recorded } from "./recorded-events.ts";

/** A ban that an event caused, as recorded. */
export type RecordedBan = Readonly<{ prefix: Prefix; code: Ban["code"] | null; expiresAt: Millis | null }>;

export type DecidedStep = Readonly<{
  type: "decided";
  id: number;
  at: Millis;
  event: ClientEvent;
  record: EventRecord;
  seen: Seen;
  bans: readonly RecordedBan[];
  spared: readonly Prefix[];
}>;
/** A sign-in whose password was checked. `report`: the event with its result. */
export type AskedStep = Readonly<{
  type: "asked";
  report: number;
  at: Millis;
  after: number;
  nth: number;
  /** How often the guard had started before. */
  starts: number;
  event: LoginAsked;
  /** From the report. */
  seen: Seen;
}>;
export type ReplayStep =
  | DecidedStep
  | AskedStep
  | Readonly<{ type: "command"; at: Millis; event: NetworkEvent }>
  /** Recorded without a decision. */
  | Readonly<{ type: "noted"; at: Millis; record: EventRecord }>
  | Readonly<{ type: "restarted"; at: Millis }>;

/** Dovecot reports the result of a sign-in within a minute after its question. */
const AHEAD_MS = MINUTE_MS;
/** Maximum events held in memory. In a flood, some questions are replayed late. */
const MOST_AHEAD = 10_000;

/**
 * Yields recorded events in order, each with its outcome. Only the report of a sign-in says when Dovecot asked about it, so events are read
 * ahead.
 */
export function* inOrder(recorded: Iterable<Recorded>): Generator<ReplayStep> {
  const ahead: Ahead[] = [];
  const asked: AskedStep[] = [];
  let [starts, begun] = [0, 0];
  for (const { id, step } of grouped(recorded)) {
    if (step.type === "decided" && step.seen.restarted === true) starts++;
    ahead.push({ id, step, starts });
    const question = questionOf(step, starts);
    if (question !== null) insert(asked, question);
    // A clock that was set back further must not delay all other events.
    const isFar = ({ at }: ReplayStep): boolean => Math.abs(step.at - at) >= AHEAD_MS;
    yield* oldestWhile((oldest) => ahead.length > MOST_AHEAD || isFar(oldest.step));
  }
  yield* oldestWhile(() => true);

  function* oldestWhile(isDue: (oldest: Ahead) => boolean): Generator<ReplayStep> {
    for (let oldest = ahead[0]; oldest !== undefined && isDue(oldest); oldest = ahead[0]) {
      for (let next = asked[0]; next !== undefined && next.after < oldest.id; next = asked[0]) {
        asked.shift();
        yield* after(next.starts, next);
      }
      yield* after(oldest.starts, oldest.step);
      ahead.shift();
    }
  }

  /** Yields a restart before the first step after it, which may be the question of a sign-in whose report is recorded later. */
  function* after(start: number, step: ReplayStep): Generator<ReplayStep> {
    if (start > begun) yield { type: "restarted", at: step.at };
    begun = Math.max(begun, start);
    yield step;
  }
}

type Ahead = Readonly<{ id: number; step: ReplayStep; starts: number }>;

function insert(asked: AskedStep[], step: AskedStep): void {
  const isLater = (other: AskedStep): boolean =>
    other.after > step.after || (other.after === step.after && other.nth > step.nth);
  const at = asked.findIndex(isLater);
  asked.splice(at < 0 ? asked.length : at, 0, step);
}

function questionOf(step: ReplayStep, starts: number): AskedStep | null {
  if (step.type !== "decided" || step.seen.asked === undefined) return null;
  const { event, id: report, seen } = step;
  if (event.type !== "LOGIN_SUCCEEDED" && event.type !== "LOGIN_FAILED") return null;
  return { type: "asked", report, ...step.seen.asked, starts, seen, event: { ...event, type: "LOGIN_ASKED" } };
}

/** Joins each event with the rows of its outcome, which follow it directly. */
function* grouped(recorded: Iterable<Recorded>): Generator<Omit<Ahead, "starts">> {
  let open: { id: number; step: DecidedStep; bans: RecordedBan[]; spared: Prefix[] } | null = null;
  for (const { id, record } of recorded) {
    if (open !== null && record !== null && isConsequence(record, open)) continue;
    if (open !== null) yield open;
    open = null;
    if (record === null) continue;
    const step = stepOf(id, record);
    if (step.type === "decided") {
      const [bans, spared]: [RecordedBan[], Prefix[]] = [[], []];
      open = { id, step: { ...step, bans, spared }, bans, spared };
    } else yield { id, step };
  }
  if (open !== null) yield open;
}

function isConsequence(
  { rest, prefix, reason }: EventRecord,
  { bans, spared }: Readonly<{ bans: RecordedBan[]; spared: Prefix[] }>,
): boolean {
  if (prefix === null) return false;
  if (rest.event === "SPARE") spared.push(prefix);
  else if (rest.event === "BAN" && rest.level !== "manual")
    bans.push({ prefix, code: reason, expiresAt: rest.expiresAt });
  else return false;
  return true;
}

function stepOf(id: number, record: EventRecord): ReplayStep {
  const { at, type, prefix, rest } = record;
  if (rest.event === "LIFT" && type === "BAN_EXPIRED" && prefix !== null)
    return { type: "command", at, event: { type: "BAN_EXPIRED", prefix } };
  const event = eventOf(record);
  // Only the guard knew from where administrators were signed in.
  const wasRefusedByGuard = type === "BAN_REFUSED" && record.reason === "admin_session";
  if (event === null || wasRefusedByGuard) return { type: "noted", at, record };
  if (isNetworkEvent(event)) return { type: "command", at, event };
  const seen = "seen" in rest && rest.seen !== undefined ? rest.seen : NOTHING_SEEN;
  return { type: "decided", id, at, event, record, seen, bans: [], spared: [] };
}

const NOTHING_SEEN: Seen = {};

type Mail = { readonly transaction: string; taken: boolean; lost: boolean };

/**
 * Events that would not have happened: the rest of a connection that is now refused, the content of a mail without a
 * recipient, the outcome of a sign-in that is refused before its password.
 */
export class Unreached {
  readonly #reports = new Set<number>();
  readonly #signIns = new BoundedMap<string, number>(LIMITS.sessions);
  readonly #sessions = new BoundedMap<string, true>(LIMITS.sessions);
  readonly #mails = new BoundedMap<string, Mail>(LIMITS.sessions);
  readonly #queueIds = new BoundedMap<string, true>(LIMITS.sessions);

  /** Marks the report of a sign-in that is now refused. */
  report(id: number): void {
    this.#reports.add(id);
  }

  /** Whether a mail that was accepted at that time would not exist. */
  mail(queueId: string | null): boolean {
    return queueId !== null && this.#queueIds.get(queueId) === true;
  }

  has({ event, id }: DecidedStep): boolean {
    switch (event.type) {
      case "CONNECT":
        this.#sessions.delete(event.session);
        this.#mails.delete(event.session);
        return false;
      case "RECIPIENT":
        return this.#sessions.get(event.session) === true;
      case "DATA":
      case "END_OF_MESSAGE": {
        const mail = this.#mails.get(event.session);
        const isLost =
          this.#sessions.get(event.session) === true ||
          (mail !== undefined && mail.transaction === event.transaction && mail.lost && !mail.taken);
        if (isLost && event.type === "END_OF_MESSAGE") this.#loseMail(event.queueId);
        return isLost;
      }
      case "LOGIN_SUCCEEDED":
      case "LOGIN_FAILED":
        return this.#reports.delete(id) || this.#takeSignIn(event);
      case "LOGIN_ASKED":
      case "JAIL_REPORTED":
        return false;
    }
  }

  /** Only changed decisions matter: all recorded events did happen. */
  update({ event, record, seen }: DecidedStep, { verdict }: Decision): void {
    const passed = verdict === "pass";
    // Held mail was accepted.
    const wasTaken = record.verdict === "pass" || record.verdict === "hold";
    const isLost = wasTaken && seen.simulated === undefined && !passed && verdict !== "hold";
    if (event.type === "CONNECT" && isLost) this.#sessions.set(event.session, true);
    if (event.type === "RECIPIENT") this.#recipient(event, passed, isLost);
    if (event.type === "DATA" && isLost)
      this.#mails.set(event.session, { transaction: event.transaction, taken: false, lost: true });
    if (event.type === "END_OF_MESSAGE" && isLost) this.#loseMail(event.queueId);
    // A login that was only delayed left a separate event; its report does not say when it was asked about.
    if (event.type === "LOGIN_ASKED" && record.verdict === "delay" && verdict === "refuse") {
      const key = keyOf(event);
      this.#signIns.set(key, (this.#signIns.get(key) ?? 0) + 1);
    }
  }

  #recipient(
    { session, transaction }: Readonly<{ session: string; transaction: string }>,
    passed: boolean,
    isLost: boolean,
  ): void {
    const before = this.#mails.get(session);
    const mail = before?.transaction === transaction ? before : { transaction, taken: false, lost: false };
    mail.taken ||= passed;
    mail.lost ||= isLost;
    this.#mails.set(session, mail);
  }

  #loseMail(queueId: string): void {
    if (queueId !== "") this.#queueIds.set(queueId, true);
  }

  #takeSignIn(event: Parameters<typeof keyOf>[0]): boolean {
    const key = keyOf(event);
    const left = this.#signIns.get(key);
    if (left === undefined) return false;
    if (left > 1) this.#signIns.set(key, left - 1);
    else this.#signIns.delete(key);
    return true;
  }
}

function keyOf(event: Readonly<{ ip: string; service: string; passwordHash: string; login: string }>): string {
  return `${event.ip} ${event.service} ${event.passwordHash} ${event.login}`;
}
