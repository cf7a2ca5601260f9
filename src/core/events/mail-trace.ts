import { printable } from "../text.ts";
import type { Observation } from "./event.ts";

/** By what the events of one mail are tied together. Empty where an event does not tell. */
export type MailNames = Readonly<{ queueId: string; messageId: string }>;

type Queued = Extract<Observation, { type: "MAIL_QUEUED" }>;
type Tried = Extract<Observation, { type: "MAIL_TRIED" }>;

const LONGEST_TEXT = 320;
/** Postfix's short and long forms (postconf(5), enable_long_queue_ids). */
const QUEUE_ID = "[0-9A-Za-z]{5,20}";
const WHOLE_QUEUE_ID = new RegExp(`^${QUEUE_ID}$`);

export function isQueueId(text: string): boolean {
  return WHOLE_QUEUE_ID.test(text);
}

/** The names stand first, or at the very end, where nothing that a stranger chose can be taken for them. */
export function queuedDetails({ queueId, messageId }: Queued): string {
  return `queue_id=${queueId} message_id=${text(messageId)}`;
}

export function triedDetails({ queueId, recipient, alias, relay, reply }: Tried): string {
  const by = alias === null ? "" : ` for=<${text(alias)}>`;
  return `queue_id=${queueId} to=<${text(recipient)}>${by} by ${text(relay)}: ${text(reply)}`;
}

const AT_START = new RegExp(`^queue_id=(${QUEUE_ID}) (?:message_id=(.*)$)?`);
const AT_END = new RegExp(` queue_id=(${QUEUE_ID})$`);
const REFUSED = new RegExp(`> queue_id=(${QUEUE_ID}): `);
const SCORED = /^score=\S+ required=\S+ message_id=(.*?)(?: to=<[^<>]*>)?$/;

/** The mail that a recorded event is about, from its type and its details; null where it is about none. */
export function mailNames(type: string, details: string): MailNames | null {
  switch (type) {
    case "EMAIL_QUEUED":
    case "EMAIL_DELIVERED":
    case "EMAIL_DELAYED":
    case "EMAIL_BOUNCED":
    case "BOUNCE_WITHHELD":
      return names(AT_START.exec(details));
    case "EMAIL_ACCEPTED":
      return names(AT_END.exec(details));
    case "EMAIL_BLOCKED":
      return names(AT_END.exec(details) ?? REFUSED.exec(details));
    case "SPAM_SCORED": {
      const [, messageId = ""] = SCORED.exec(details) ?? [];
      return messageId === "" ? null : { queueId: "", messageId };
    }
    default:
      return null;
  }
}

function names(found: RegExpExecArray | null): MailNames | null {
  return found === null ? null : { queueId: found[1] ?? "", messageId: found[2] ?? "" };
}

function text(value: string): string {
  return printable(value, LONGEST_TEXT);
}
