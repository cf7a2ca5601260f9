import type { Verdict } from "../decide/decision.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import { printable } from "../text.ts";
import type { Millis } from "../time.ts";
import type { EventType } from "./event-types.ts";
import type { Reason } from "./reasons.ts";
import type { Service } from "./service.ts";

/** A sliding window. `mail` is a stranger's, counted for the address; `account_mail` is counted for the account. */
export type Counts = "connection" | "mail" | "account_mail" | "login" | "probe" | "bounce";

/**
 * What was decided; or, of what only a log tells, what became of it: the spam filter marked the mail, the mail was lost
 * on its way to a user here, the report on a mail was withheld.
 */
export type RecordedVerdict = Verdict | "mark" | "lose" | "withhold";

/**
 * What every event is recorded by: a column each. Null where it does not apply. Texts are as the client sent them, so
 * that whoever prints them makes them printable.
 */
export type EventColumns = Readonly<{
  at: Millis;
  /** The public name. */
  type: EventType;
  service: Service | null;
  /** The client. */
  ip: Ip | null;
  /** The unit that the event concerns: where the client is counted and would be banned, or the network of a command. */
  prefix: Prefix | null;
  /** Who signed in, or tried to; or the account that a command changed. */
  account: string | null;
  /** Envelope sender; empty: a bounce. */
  sender: string | null;
  /** Envelope recipient; null where there are several. */
  recipient: string | null;
  queueId: string | null;
  /** With its angle brackets. */
  messageId: string | null;
  helo: string | null;
  sizeBytes: number | null;
  verdict: RecordedVerdict | null;
  reason: Reason | null;
  /** Of a ban: which offence within the memory this is, counting from 1; null for a manual one. */
  offence: number | null;
  /** The sliding window that the event enters; null if it enters none. */
  counts: Counts | null;
  /** The evidence: `count` of at most `limit` within `windowMs`, by the setting `limitKey`. */
  count: number | null;
  limit: number | null;
  windowMs: number | null;
  limitKey: string | null;
  /** Who gave the command: `root`, `engine`, or an administrator and from where. */
  actor: string | null;
  /** Tells failed passwords apart; null elsewhere. */
  proof: string | null;
}>;

export const RECORDED_VERDICTS: readonly RecordedVerdict[] = [
  "pass",
  "delay",
  "defer",
  "refuse",
  "mark",
  "lose",
  "withhold",
];

/** What is told of an event to people: what happened, and what was done about it. */
export type Sentence = Readonly<{ details: string; action: string }>;

const LONGEST_TEXT = 320;
/** More than any address has (RFC 5321, 4.5.3.1), so that a longer one is no address of anybody. */
const LONGEST_STORED = 1_024;

/** For people: one line, nothing that a terminal obeys, and no longer than the longest address. */
export function shown(value: string | null): string {
  return printable(value ?? "", LONGEST_TEXT);
}

/** As the client sent it, for a column. */
export function stored(value: string): string {
  return value.length <= LONGEST_STORED ? value : value.slice(0, LONGEST_STORED);
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

/** A session is named by the client's address, which has a column, and its port: ` 40000`. */
export function storedSession(session: string, ip: Ip): string {
  return stored(session.startsWith(`${ip} `) ? session.slice(ip.length) : session);
}

export function readSession(recorded: string, ip: Ip): string {
  return recorded.startsWith(" ") ? `${ip}${recorded}` : recorded;
}

/** All columns, from those that the event fills. */
export function columns(filled: Pick<EventColumns, "at" | "type"> & Partial<EventColumns>): EventColumns {
  return { ...NOTHING, ...filled };
}

const ACTIONS: Readonly<Record<RecordedVerdict, string>> = {
  pass: "allowed",
  delay: "delayed",
  defer: "deferred",
  refuse: "refused",
  mark: "marked",
  lose: "not delivered",
  withhold: "not reported to its sender",
};

/** What was done, by the verdict alone. */
export function actionOf(verdict: RecordedVerdict | null): string {
  return verdict === null ? "" : ACTIONS[verdict];
}
