import { LOST_ACTION } from "../core/alerts/rules.ts";
import { isBounce } from "../core/decide/bounce.ts";
import type { Change, Decision, Verdict } from "../core/decide/decision.ts";
import { type Audit, type Event, type Observation, subjectOf } from "../core/events/event.ts";
import type { EventType } from "../core/events/event-types.ts";
import { queuedDetails, triedDetails } from "../core/events/mail-trace.ts";
import { type ClientFault, type Reason, reasons } from "../core/events/reasons.ts";
import { type Ip, networkAddress, type Prefix } from "../core/net/ip.ts";
import { printable } from "../core/text.ts";
import { formatDuration, isoTime, type Millis } from "../core/time.ts";
import type { EventRow } from "./ports.ts";

/** How events, decisions and changes are written down: the words that the database, the API and people read. */

const LONGEST_TEXT = 320;
/** Of a log, as evidence. */
const LONGEST_LINE = 240;
const MOST_LINES = 5;

export function eventRow(event: Event, decision: Decision, subject: Prefix, at: Millis): EventRow {
  const evidence = decision.evidence;
  return {
    at,
    type: publicType(event, decision),
    ip: "ip" in event ? event.ip : networkAddress(event.prefix),
    prefix: subject,
    account: accountOf(event),
    proof: event.type === "LOGIN_FAILED" || event.type === "LOGIN_ASKED" ? event.passwordHash : null,
    counts: decision.counted ? familyOf(event) : null,
    reason: decision.reason,
    count: evidence === null ? null : evidence.count,
    limit: evidence === null ? null : evidence.limit,
    windowMs: evidence === null ? null : evidence.windowMs,
    details: details(event),
    action: actionOf(event, decision),
  };
}

/** The row of a change that people want to see by itself; null where the event says it all. */
export function changeRow(change: Change, at: Millis): EventRow | null {
  switch (change.type) {
    case "BAN": {
      const { prefix, ip, expiresAt, level, offences, reason, source, code } = change.ban;
      const length =
        expiresAt === null ? "for good" : `for ${formatDuration(expiresAt - at)} until ${isoTime(expiresAt)}`;
      const offence = offences > 0 ? `, offence ${offences}` : "";
      const row = bare("BAN", { ip, prefix }, at, `${prefix} by ${source}: ${printable(reason, LONGEST_TEXT)}`);
      return { ...row, reason: code, action: `banned ${length} (${level}${offence})` };
    }
    case "LIFT":
      return { ...bare(change.cause, change, at, `${change.prefix} by ${change.by}`), action: "lifted" };
    case "ALLOW": {
      const text = `${change.prefix} by ${change.by}: ${printable(change.note, LONGEST_TEXT)}`;
      const end = change.expiresAt === null ? "" : ` until ${isoTime(change.expiresAt)}`;
      return { ...bare("ALLOW_ADDED", change, at, text), action: `allow-listed${end}` };
    }
    case "SPARE": {
      const text = `${change.prefix}: ${reasons[change.code].says}`;
      return { ...bare("SPARED", change, at, text), reason: change.why, action: "not banned" };
    }
    case "DISALLOW":
      return {
        ...bare(change.cause, change, at, `${change.prefix} by ${change.by}`),
        action: "removed",
      };
    case "KNOW":
    case "GUESS":
    case "FORGET_GUESSES":
    case "READ_LOG":
    case "CORRESPOND":
    case "HEAR_JAIL":
    case "CREDIT":
      return null;
  }
}

export function auditRow(audit: Audit, at: Millis): EventRow {
  const text = `${printable(audit.subject, LONGEST_TEXT)} by ${audit.by}`;
  return { ...bare(audit.type, null, at, text), action: audit.type === "COMMAND_REFUSED" ? "refused" : "done" };
}

/** Null: what is told of a mail that has events enough. */
export function observationRow(seen: Observation, at: Millis, subject: (ip: Ip) => Prefix): EventRow | null {
  switch (seen.type) {
    case "SPAM_SCORED": {
      const to = seen.recipient === null ? "" : ` to=<${text(seen.recipient)}>`;
      const details = `score=${seen.score} required=${seen.required} message_id=${text(seen.messageId)}${to}`;
      return { ...bare("SPAM_SCORED", null, at, details), action: seen.score >= seen.required ? "marked" : "allowed" };
    }
    case "CONTENT_REFUSED": {
      const { ip, reason, account, queueId, sender, recipient, reply } = seen;
      const about = `smtp from=<${text(sender)}> to=<${text(recipient)}> queue_id=${text(queueId)}: ${text(reply)}`;
      return { ...bare("EMAIL_BLOCKED", { ip, prefix: subject(ip) }, at, about), account, reason, action: "refused" };
    }
    case "CLIENT_FAULT": {
      const { ip, service, reason, detail, times } = seen;
      const about = `${service} ${text(detail)}${times > 1 ? ` (${times} times)` : ""}`;
      return { ...bare(faultType(reason), { ip, prefix: subject(ip) }, at, about), reason, action: "noted" };
    }
    case "LOGIN_UNSEEN": {
      const { ip, service, login, times } = seen;
      const about = `${service} login=<${text(login)}>${times > 1 ? ` (${times} times)` : ""}`;
      const row = bare("LOGIN_FAILED", { ip, prefix: subject(ip) }, at, about);
      return { ...row, account: login === "" ? null : login, reason: "unseen_login_failure", action: "noted" };
    }
    case "MAIL_QUEUED":
      return { ...bare("EMAIL_QUEUED", null, at, queuedDetails(seen)), action: "queued" };
    case "MAIL_TRIED": {
      const [type, action] = seen.outcome === "bounced" && isLost(seen) ? LOST : TRIED[seen.outcome];
      return { ...bare(type, null, at, triedDetails(seen)), action };
    }
    case "MAIL_JUDGED":
      return null;
  }
}

const TRIED = {
  sent: ["EMAIL_DELIVERED", "delivered"],
  deferred: ["EMAIL_DELAYED", "tried again later"],
  bounced: ["EMAIL_BOUNCED", "returned to its sender"],
  withheld: ["BOUNCE_WITHHELD", "not reported to its sender"],
} as const satisfies Record<string, readonly [EventType, string]>;
const LOST = ["EMAIL_BOUNCED", LOST_ACTION] as const;

/** Whether it was for somebody here, or for an alias: no user's own mail that others do not want. */
function isLost({ relay, alias }: Extract<Observation, { type: "MAIL_TRIED" }>): boolean {
  return alias !== null || !relay.startsWith("smtp ");
}

function faultType(reason: ClientFault): EventType {
  switch (reason) {
    case "tls_failed":
      return "TLS_FAILED";
    case "relay_refused":
    case "helo_refused":
    case "sender_refused":
      return "EMAIL_BLOCKED";
    default:
      return "SESSION_FAULT";
  }
}

/** Whether the event itself is worth a row; a command that succeeded is told by its changes. */
export function leavesRow(event: Event, decision: Decision): boolean {
  if (!decision.recorded) return false;
  switch (event.type) {
    case "BAN_ASKED":
      return decision.verdict === "refuse";
    case "UNBAN_ASKED":
    case "ALLOW_ASKED":
    case "DISALLOW_ASKED":
    case "ALLOW_EXPIRED":
    case "BAN_EXPIRED":
      return false;
    default:
      return true;
  }
}

const ACTIONS = { pass: "allowed", delay: "delayed", defer: "deferred", refuse: "refused" } as const;

/** Null: about no address. */
type About = Readonly<{ prefix: Prefix; ip?: Ip }> | null;

function actionOf(event: Event, { verdict, reason }: Decision): string {
  if (reason === "greylist_asked") return "left to Postgrey";
  if (event.type !== "JAIL_REPORTED") return ACTIONS[verdict];
  return verdict === "refuse" ? "banned" : isSpared(reason) ? "spared" : "attached";
}

const REPORTED: readonly Reason[] = ["jail_report", "judged_live", "banned", "report_seen", "report_late"];

/** Not banned although a jail reported it, and for another reason than that it had been judged already, or came too late. */
function isSpared(reason: Reason): boolean {
  return !REPORTED.includes(reason);
}

function bare(type: EventType, about: About, at: Millis, details: string): EventRow {
  return {
    at,
    type,
    ip: about === null ? null : (about.ip ?? networkAddress(about.prefix)),
    prefix: about === null ? null : about.prefix,
    account: null,
    proof: null,
    counts: null,
    reason: null,
    count: null,
    limit: null,
    windowMs: null,
    details,
    action: "",
  };
}

function publicType(event: Event, { verdict, reason }: Decision): EventType {
  switch (event.type) {
    case "CONNECT":
      return verdict === "refuse" ? "CONNECT_REFUSED" : verdict === "defer" ? "CONNECT_DEFERRED" : "CONNECT";
    case "RECIPIENT":
      return reason === "greylist_asked" ? "GREYLIST_ASKED" : mailType("RECIPIENT", verdict);
    case "MAIL":
      return mailType("EMAIL", verdict);
    case "MESSAGE":
      return mailType("EMAIL_ACCEPTED", verdict);
    case "LOGIN_ASKED":
      return verdict === "delay" ? "LOGIN_DELAYED" : "LOGIN_REFUSED";
    case "JAIL_REPORTED":
      return isSpared(reason) ? "SPARED" : "JAIL_REPORTED";
    case "BAN_ASKED":
      return "BAN_REFUSED";
    case "UNBAN_ASKED":
      return "UNBAN";
    case "ALLOW_ASKED":
      return "ALLOW_ADDED";
    case "DISALLOW_ASKED":
      return "ALLOW_REMOVED";
    default:
      return event.type;
  }
}

function mailType(passed: EventType, verdict: Verdict): EventType {
  return verdict === "refuse" ? "EMAIL_BLOCKED" : verdict === "defer" ? "EMAIL_DEFERRED" : passed;
}

function familyOf(event: Event): EventRow["counts"] {
  switch (event.type) {
    case "CONNECT":
      return "connection";
    case "MAIL":
      return event.account === null ? "mail" : "account_mail";
    case "LOGIN_ASKED":
    case "LOGIN_FAILED":
      return "login";
    case "RECIPIENT":
      return isBounce(event) ? "bounce" : "probe";
    default:
      return null;
  }
}

function accountOf(event: Event): string | null {
  switch (event.type) {
    case "RECIPIENT":
    case "MAIL":
    case "MESSAGE":
      return event.account;
    case "LOGIN_ASKED":
    case "LOGIN_SUCCEEDED":
    case "LOGIN_FAILED":
      return event.login === "" ? null : event.login;
    default:
      return null;
  }
}

function details(event: Event): string {
  switch (event.type) {
    case "CONNECT":
      return event.clientName === null ? event.service : `${event.service} ${text(event.clientName)}`;
    case "RECIPIENT":
      return (
        `${event.service} from=<${text(event.sender)}> to=<${text(event.recipient ?? "")}> helo=<${text(event.helo)}>` +
        (event.listed === null ? "" : ` listed=${event.listed.zone} (${text(event.listed.meaning)})`)
      );
    case "MAIL":
      return `${event.service} from=<${text(event.sender)}>${toWhom(event)}`;
    case "MESSAGE":
      return `${event.service} from=<${text(event.sender)}>${toWhom(event)} size=${event.sizeBytes} queue_id=${text(event.queueId)}`;
    case "LOGIN_ASKED":
    case "LOGIN_SUCCEEDED":
    case "LOGIN_FAILED":
      return `${event.service} login=<${text(event.login)}>`;
    case "JAIL_REPORTED": {
      const told = event.lines
        .slice(-MOST_LINES)
        .map(({ text: line }) => ` | ${printable(line, LONGEST_LINE)}`)
        .join("");
      return `jail ${event.jail}: ${event.failures} offences, the last at ${isoTime(event.lastAt)}${told}`;
    }
    default:
      return `${subjectOf(event)}${"by" in event ? ` by ${event.by}` : ""}`;
  }
}

function toWhom(event: { readonly recipient: string | null; readonly recipientCount: number }): string {
  return event.recipient === null ? ` to ${event.recipientCount} recipients` : ` to=<${text(event.recipient)}>`;
}

function text(value: string): string {
  return printable(value, LONGEST_TEXT);
}
