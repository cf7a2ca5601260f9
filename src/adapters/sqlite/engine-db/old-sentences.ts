import type { EventColumns, RecordedVerdict } from "../../../core/events/columns.ts";
import { namedBy } from "../../../core/events/command.ts";
import { isQueueId } from "../../../core/events/queue-id.ts";
import { SERVICES, type Service } from "../../../core/events/service.ts";

/**
 * Reads the sentences in which versions before schema 9 recorded events, for `carryOver` only; they never change any
 * more. Text from strangers stands between ours, so only unambiguous sentences are read.
 */
export function parseOldSentence({ type, reason, details, action }: OldEvent): OldColumns {
  const verdict = VERDICTS[action];
  switch (type) {
    case "CONNECT":
    case "CONNECT_DEFERRED":
    case "CONNECT_REFUSED":
    case "LOGIN_SUCCEEDED":
    case "LOGIN_FAILED":
    case "LOGIN_DELAYED":
    case "LOGIN_REFUSED":
    case "SESSION_FAULT":
    case "TLS_FAILED":
      return { service: serviceOf(details), verdict };
    case "RECIPIENT":
    case "GREYLIST_ASKED":
    case "EMAIL":
    case "EMAIL_ACCEPTED":
    case "EMAIL_BLOCKED":
    case "EMAIL_DEFERRED":
      return { ...(FAULTS.has(reason ?? "") ? null : envelope(details)), service: serviceOf(details), verdict };
    case "SPAM_SCORED":
      return { ...scored(details), verdict };
    case "EMAIL_QUEUED": {
      const [, queueId, messageId] = /^queue_id=(\S+) message_id=(.*)$/.exec(details) ?? [];
      return queueId === undefined || !isQueueId(queueId) ? {} : { queueId, messageId };
    }
    case "EMAIL_DELIVERED":
    case "EMAIL_DELAYED":
    case "EMAIL_BOUNCED":
    case "BOUNCE_WITHHELD": {
      const [, queueId, recipient] = /^queue_id=(\S+) to=<([^<>]*)>/.exec(details) ?? [];
      return queueId === undefined || !isQueueId(queueId) ? { verdict } : { queueId, recipient, verdict };
    }
    case "JAIL_REPORTED":
      return { verdict: action === "banned" ? "refuse" : "pass" };
    case "SPARED":
      return details.startsWith("jail ") ? { verdict: "pass" } : {};
    case "BAN": {
      const [, offence] = /, offence (\d+)\)$/.exec(action) ?? [];
      return { actor: actorAfter(details), offence: offence === undefined ? undefined : Number(offence) };
    }
    case "UNBAN":
    case "BAN_EXPIRED":
    case "ALLOW_ADDED":
    case "ALLOW_REMOVED":
    case "ALLOW_EXPIRED":
      return { actor: actorAfter(details) };
    case "BAN_REFUSED":
      return { actor: actorAfter(details), verdict };
    default:
      return { ...audit(type, details), verdict };
  }
}

export type OldEvent = Readonly<{ type: string; reason: string | null; details: string; action: string }>;
type OldColumns = { readonly [K in Filled]?: EventColumns[K] | undefined };
type Filled =
  | "service"
  | "account"
  | "sender"
  | "recipient"
  | "queueId"
  | "messageId"
  | "helo"
  | "sizeBytes"
  | "verdict"
  | "offence"
  | "actor";

const VERDICTS: Readonly<Record<string, RecordedVerdict>> = {
  allowed: "pass",
  "left to Postgrey": "pass",
  delivered: "pass",
  done: "pass",
  delayed: "delay",
  deferred: "defer",
  "tried again later": "defer",
  refused: "refuse",
  "returned to its sender": "refuse",
  marked: "mark",
  "not delivered": "lose",
  "not reported to its sender": "withhold",
};
/** Postfix's own refusals have the words of its log, with the types of the guard's refusals. */
const FAULTS: ReadonlySet<string> = new Set(["relay_refused", "helo_refused", "sender_refused"]);

/** The details of a client's event begin with the service. */
function serviceOf(details: string): Service | undefined {
  const [first] = details.split(" ", 1);
  return SERVICES.find((service) => service === first);
}

const ENVELOPE = new RegExp(
  [
    "^[a-z]+ from=<(?<sender>.*?)>",
    "(?: to=<(?<recipient>.*?)>| to \\d+ recipients)",
    // Either a recipient is named, or content arrived, or content was refused. If none follows, a mail has begun.
    "(?: helo=<(?<helo>.*?)>(?: listed=\\S+ \\(.*\\))?| size=(?<size>\\d+) queue_id=(?<taken>\\S+)| queue_id=(?<refused>[0-9A-Za-z]{5,20}): .*)?$",
  ].join(""),
);
/** Separators between two texts of a stranger. If one occurs twice, the stranger wrote one of them. */
const BETWEEN = [" from=<", "> to=<", "> to ", "> helo=<", "> size=", "> queue_id=", " recipients"];

function envelope(details: string): OldColumns {
  if (BETWEEN.some((mark) => details.indexOf(mark) !== details.lastIndexOf(mark))) return {};
  const groups = ENVELOPE.exec(details)?.groups;
  if (groups === undefined) return {};
  const { sender, recipient, helo, size } = groups;
  // If several recipients are named, the recipient's text is empty or missing.
  return {
    sender,
    recipient: recipient === "" ? undefined : recipient,
    helo,
    sizeBytes: size === undefined ? undefined : Number(size),
    queueId: groups["taken"] ?? groups["refused"],
  };
}

/** A recipient may follow a Message-ID. Who wrote the recipient is certain only if the Message-ID has its usual form. */
function scored(details: string): OldColumns {
  const [, messageId, recipient] = /^score=\S+ required=\S+ message_id=(.*?)(?: to=<([^<>]*)>)?$/.exec(details) ?? [];
  if (messageId === undefined || messageId === "") return {};
  return recipient === undefined || /^<[^<>\s]+>$/.test(messageId) ? { messageId, recipient } : {};
}

/** `NETWORK by ACTOR`, perhaps with a note after it. */
function actorAfter(details: string): string | undefined {
  return /^\S+ by (.*?)(?:: .*)?$/.exec(details)?.[1];
}

function audit(type: string, details: string): OldColumns {
  const [, subject, actor] = /^(.*) by (.+)$/.exec(details) ?? [];
  if (subject === undefined || actor === undefined) return {};
  switch (type) {
    case "NETWORKS_CHANGED":
      return { account: /^(\S+) from /.exec(subject)?.[1], actor };
    case "SPAM_ALLOW_ADDED":
    case "SPAM_ALLOW_REMOVED": {
      const [, sender, account] = /^(\S+) for (\S+)$/.exec(subject) ?? [];
      return { account, sender, actor };
    }
    case "GREYLIST_PAUSED":
      return { recipient: /^(\S+) for /.exec(subject)?.[1], actor };
    default: {
      const { account, recipient } = namedBy(type, subject);
      return { account: account ?? undefined, recipient: recipient ?? undefined, actor };
    }
  }
}
