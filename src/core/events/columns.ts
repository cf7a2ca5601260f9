import type { Decision } from "../decide/decision.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import { printable } from "../text.ts";
import type { Millis } from "../time.ts";
import type { EventOutcome, EventType, Service } from "./event-types.ts";
import type { Reason } from "./reasons.ts";
import type { Seen } from "./seen.ts";

/** A sliding window in which an event counts. `mail` is a stranger's mail, counted for the address; `account_mail` is counted for the account. */
export type SlidingWindow = "connection" | "mail" | "account_mail" | "login" | "probe" | "bounce";

/**
 * The decision. For events known only from a log, the outcome: the spam filter marked the mail, the mail was lost on
 * its way to a local user, or the bounce about it was withheld.
 */
export const VERDICTS = {
  pass: { did: "allowed", says: "it was allowed", outcome: "success" },
  delay: { did: "delayed", says: "it was slowed down", outcome: "unknown" },
  hold: {
    did: "held in the queue",
    says: "it was accepted, and waits in the queue until the owner decides",
    outcome: "unknown",
  },
  defer: { did: "deferred", says: "it was deferred, to be tried again later", outcome: "failure" },
  refuse: { did: "refused", says: "it was refused", outcome: "failure" },
  mark: { did: "marked", says: "the spam filter marked it", outcome: "success" },
  lose: { did: "not delivered", says: "it was accepted here and then not delivered", outcome: "failure" },
  withhold: { did: "not reported to its sender", says: "the report was not sent", outcome: "failure" },
} as const satisfies Readonly<Record<string, VerdictText>>;
export type RecordedVerdict = keyof typeof VERDICTS;
export const RECORDED_VERDICTS: readonly RecordedVerdict[] = Object.keys(VERDICTS).filter(isVerdict);

/** `did`: the server's reaction, for people. `says`: what it means, for the docs. */
type VerdictText = Readonly<{ did: string; says: string; outcome: EventOutcome }>;

export function isVerdict(text: string | null): text is RecordedVerdict {
  return text !== null && Object.hasOwn(VERDICTS, text);
}

/** The fields of every event, one column each; null if unused. Texts are as the client sent them, so printers must make them printable. */
export type EventColumns = Readonly<{
  at: Millis;
  /** The public name. */
  type: EventType;
  service: Service | null;
  /** The client. */
  ip: Ip | null;
  /** What the event concerns: the prefix by which the client is counted and banned, or the network of a command. */
  prefix: Prefix | null;
  /** The account that signed in or failed to, that a command changed, or against which a refusal of its mail counts. */
  account: string | null;
  /** Envelope sender; empty for a bounce. */
  sender: string | null;
  /** Envelope recipient; null if there are several. */
  recipient: string | null;
  queueId: string | null;
  /** With its angle brackets. */
  messageId: string | null;
  helo: string | null;
  sizeBytes: number | null;
  verdict: RecordedVerdict | null;
  reason: Reason | null;
  /** For a ban: the number of the offence within the memory, counting from 1; null for a manual ban. */
  offence: number | null;
  /** The sliding window that the event enters; null if it enters none. */
  counts: SlidingWindow | null;
  /** The evidence: `count` of at most `limit` within `windowMs`, set by `limitKey`. */
  count: number | null;
  limit: number | null;
  windowMs: number | null;
  limitKey: string | null;
  /** Who acted: an `Actor` (`command.ts`). */
  actor: string | null;
  /** The short hash of a failed password; null for other events. */
  proof: string | null;
}>;

/**
 * An event as every interface shows it. Times are ISO 8601 UTC. `details` and `action` are text for people; the other
 * fields hold the same as data, null if one does not apply.
 */
export type ShownEvent = Readonly<{
  id: number;
  at: string;
  type: string;
  /** While `simulate` was set: the verdict, or `ban`, that would have come. Nothing was refused or banned. */
  simulated: string | null;
  details: string;
  action: string;
}> &
  Shown<Omit<EventColumns, "at" | "type" | "prefix" | "counts" | "proof">>;
/** As text for people, or from an event that a different version wrote. */
export type Shown<T> = { readonly [K in keyof T]: T[K] extends number | null ? T[K] : string | null };

/** The text of an event for people: what happened, and what the server did. */
export type Sentence = Readonly<{ details: string; action: string }>;

const LONGEST_TEXT = 320;
/** UTF-16 units: longer than any valid address (RFC 5321, 4.5.3.1). */
export const LONGEST_STORED = 1_024;

/** For people: one line, without terminal control characters, at most as long as the longest address. */
export function shown(value: string | null): string {
  return printable(value ?? "", LONGEST_TEXT);
}

/** As the client sent it, cut to `LONGEST_STORED`, for a column. */
export function stored(value: string): string {
  return value.slice(0, LONGEST_STORED);
}

export function storedOrNull(value: string | null): string | null {
  return value === null ? null : stored(value);
}

const NOTHING: Omit<EventColumns, "at" | "type"> = {
  service: null,
  ip: null,
  prefix: null,
  account: null,
  sender: null,
  recipient: null,
  queueId: null,
  messageId: null,
  helo: null,
  sizeBytes: null,
  verdict: null,
  reason: null,
  offence: null,
  counts: null,
  count: null,
  limit: null,
  windowMs: null,
  limitKey: null,
  actor: null,
  proof: null,
};

/** Without the client's address, which has its own column: ` 40000 25 192.0.2.1`. */
export function storedSession(session: string, ip: Ip): string {
  return stored(session.startsWith(`${ip} `) ? session.slice(ip.length) : session);
}

export function readSession(recorded: string, ip: Ip): string {
  return recorded.startsWith(" ") ? `${ip}${recorded}` : recorded;
}

/** An event without its sentence: the columns that it sets, null for the others, and the rest of its record. */
export function row<const R>(
  filled: Pick<EventColumns, "at" | "type"> & Partial<EventColumns>,
  rest: R,
): EventColumns & Readonly<{ rest: R }> {
  return { ...NOTHING, ...filled, rest };
}

/** The server's reaction, only from the verdict. */
export function actionOf(verdict: RecordedVerdict | null): string {
  return verdict === null ? "" : VERDICTS[verdict].did;
}

/**
 * The definition of one kind of decided event. `R` is its record without the columns; it contains everything that
 * a replay needs to decide the event again.
 */
export type DecidedKind<E, R> = Readonly<{
  /** The public name, which says how it ended. */
  name(event: E, decision: Decision): EventType;
  /** The sliding window in which it counts, in memory and in the database, if the decision is `counted`. */
  window(event: E): SlidingWindow | null;
  columns(event: E): Partial<EventColumns>;
  rest(event: E, seen: Seen | undefined): R;
  /** The text, only from recorded data. */
  sentence(recorded: EventColumns, rest: R): Sentence;
  /** The event for deciding it again; null if another program changed the columns. */
  event(recorded: EventColumns, rest: R): E | null;
}>;
