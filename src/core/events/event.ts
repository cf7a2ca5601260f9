import type { Decision, Verdict } from "../decide/decision.ts";
import { networkAddress, type Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import { actionOf, type DecidedKind, type EventColumns, type Sentence, type SlidingWindow } from "./columns.ts";
import { auditSentence, changeSentence, commandOf, isChange, type NetworkEvent, refusedBan } from "./command.ts";
import { type Connect, connection } from "./connection.ts";
import { logSentence } from "./log.ts";
import { type Login, type LoginAsked, type LoginFailed, type LoginSucceeded, login } from "./login.ts";
import {
  type DataCommand,
  dataCommand,
  type EndOfMessage,
  endOfMessage,
  type Recipient,
  recipientNamed,
} from "./mail.ts";
import { type JailReported, report } from "./report.ts";
import type { Rest } from "./rest-schemas.ts";
import type { Seen } from "./seen.ts";

/**
 * The events that the engine decides on. Kinds that belong together share a file. Those of a mail, by stage of SMTP, with the public
 * names of their rows (any may be EMAIL_BLOCKED or EMAIL_DEFERRED instead) and their `recordedName`:
 *
 *     Postfix         type            type of its row               recordedName
 *     RCPT            RECIPIENT       RECIPIENT or GREYLIST_ASKED   RECIPIENT
 *     DATA            DATA            EMAIL                         MAIL
 *     END-OF-MESSAGE  END_OF_MESSAGE  EMAIL_ACCEPTED or EMAIL_HELD  MESSAGE
 */
export type Event =
  | Connect
  | Recipient
  | DataCommand
  | EndOfMessage
  | LoginAsked
  | LoginSucceeded
  | LoginFailed
  | JailReported
  | NetworkEvent;

export type ClientEvent = Exclude<Event, NetworkEvent>;

/** Those of an SMTP session: Postfix asks about each connection, recipient, DATA command and end of a mail. */
export type SmtpEvent = Extract<ClientEvent, Readonly<{ session: string }>>;

export function isNetworkEvent(event: Event): event is NetworkEvent {
  return "prefix" in event;
}

/** Whether it is a sign-in, at any stage. */
export function isLogin(event: Event): event is Login {
  return "login" in event;
}

/** One committed event, as data. Its sentences are printed only from it, and a replay decides again from it. */
export type EventRecord = EventColumns & Readonly<{ rest: Rest }>;

/** Where and when a decided event happened. `prefix`: by which its client is counted. `seen`: what else a replay needs. */
export type RecordContext = Readonly<{ prefix: Prefix; at: Millis; seen?: Seen | undefined }>;

/**
 * The record of a decided event. Null for events of which a replay needs no record:
 * - A sign-in that may continue to its password (not `recorded`). The report of its outcome follows, from the same address
 *   with the same password, and says when the question came (`seen.asked`).
 * - A recipient past the limit of its connection, and the second pass of a stranger's mail from a known or wanted address, before
 *   Rspamd reads it (core/decide/mail.ts).
 * - A command that was carried out: each of its changes has a record (`changeRecord`), from which `commandOf` restores the command.
 *   One that came too late changed nothing.
 * - The ends of bans and of allow-list entries: they follow from the start.
 */
export function recordOf(event: Event, decision: Decision, { at, prefix, seen }: RecordContext): EventRecord | null {
  if (!decision.recorded || !isDecided(event)) return null;
  const { verdict, reason, evidence, counted, simulated } = decision;
  if (event.type === "BAN_ASKED" && verdict !== "refuse") return null;
  const kind = KINDS[event.type];
  const columns = kind.columns(event);
  return {
    at,
    type: kind.name(event, decision),
    service: columns.service ?? null,
    ip: isNetworkEvent(event) ? networkAddress(event.prefix) : event.ip,
    prefix,
    account: columns.account ?? null,
    sender: columns.sender ?? null,
    recipient: columns.recipient ?? null,
    queueId: columns.queueId ?? null,
    messageId: null,
    helo: columns.helo ?? null,
    sizeBytes: columns.sizeBytes ?? null,
    verdict,
    reason,
    offence: null,
    counts: counted ? kind.window(event) : null,
    count: evidence?.count ?? null,
    limit: evidence?.limit ?? null,
    windowMs: evidence?.windowMs ?? null,
    limitKey: evidence?.key ?? null,
    actor: columns.actor ?? null,
    proof: columns.proof ?? null,
    rest: kind.rest(event, simulated === undefined ? seen : { ...seen, simulated }),
  };
}

/** The sliding window in which the event counts; null if none. */
export function windowOf(event: Event): SlidingWindow | null {
  return isDecided(event) ? KINDS[event.type].window(event) : null;
}

/** The text, printed only from the record. */
export function sentenceOf(record: EventRecord): Sentence {
  const { rest } = record;
  if (isDecidedRest(rest)) {
    const sentence = RECORDED_KINDS[rest.event].sentence(record, rest);
    const simulated = "seen" in rest ? rest.seen?.simulated : undefined;
    return simulated === undefined ? sentence : simulatedSentence(sentence, simulated);
  }
  if (isChange(rest)) return changeSentence(record, rest);
  return rest.event === "AUDIT" ? auditSentence(record, rest) : logSentence(record, rest);
}

/** The name of an event in its record and in the result of a replay, where two stages keep their older names. */
export function recordedName({ type }: Pick<ClientEvent, "type">) {
  return type === "DATA" ? "MAIL" : type === "END_OF_MESSAGE" ? "MESSAGE" : type;
}

/** The event for a replay; null for consequences and events without a decision. */
export function eventOf(record: EventRecord): Event | null {
  const { rest } = record;
  if (isDecidedRest(rest)) return RECORDED_KINDS[rest.event].event(record, rest);
  return isChange(rest) ? commandOf(record, rest) : null;
}

type DecidedType = ClientEvent["type"] | "BAN_ASKED";
type DecidedRest = ReturnType<typeof recordedName> | "BAN_ASKED";

/** The kinds of events whose records a replay decides on again. */
const KINDS: Readonly<Record<DecidedType, DecidedKind<Event, Rest>>> = {
  CONNECT: connection,
  RECIPIENT: recipientNamed,
  DATA: dataCommand,
  END_OF_MESSAGE: endOfMessage,
  LOGIN_ASKED: login,
  LOGIN_SUCCEEDED: login,
  LOGIN_FAILED: login,
  JAIL_REPORTED: report,
  BAN_ASKED: refusedBan,
};
const RECORDED_KINDS: Readonly<Record<DecidedRest, DecidedKind<Event, Rest>>> = {
  ...KINDS,
  MAIL: KINDS.DATA,
  MESSAGE: KINDS.END_OF_MESSAGE,
};

function isDecided(event: Event): event is Extract<Event, Readonly<{ type: DecidedType }>> {
  return event.type in KINDS;
}

function isDecidedRest(rest: Rest): rest is Extract<Rest, Readonly<{ event: DecidedRest }>> {
  return rest.event in RECORDED_KINDS;
}

/** The sentence for a decision without effect, which says what it would have been. */
function simulatedSentence({ details }: Pick<Sentence, "details">, verdict: Verdict): Sentence {
  const would = `would be ${actionOf(verdict)}`;
  return { details: `${details} (simulated: ${would})`, action: `${actionOf("pass")}; ${would}` };
}
