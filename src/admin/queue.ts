import * as z from "zod/mini";
import { isQueueId } from "../core/events/queued-mail.ts";
import { parseSender } from "../core/net/address.ts";
import { parseJson } from "../core/text.ts";
import { flag, isObject, type OutputOf, object } from "./declare/fields.ts";
import {
  accountName,
  count,
  list,
  listOf,
  mailAddress,
  meaning,
  next,
  orNull,
  page,
  queueId,
  records,
  time,
  written,
} from "./declare/kinds.ts";
import { changes, HOLD, PROVEN_QUEUE, QUEUE, READ, reads, verb } from "./declare/verb.ts";

/** Where a mail waits: deferred, on hold, or being delivered now (qmgr(8)). */
export const QUEUE_STATES = ["deferred", "hold", "active"] as const;

/** A mail in Postfix's queue, as `postqueue -j` prints it (postqueue(1), "JSON object format"). */
export type QueueEntry = Readonly<{
  id: string;
  /** The queue of Postfix: incoming, active, deferred, hold, or maildrop (qmgr(8)). */
  queue: string;
  /** When it arrived. Milliseconds. */
  at: number;
  sizeBytes: number;
  /** Envelope sender; empty for a bounce or an automatic reply. */
  sender: string;
  /** Recipients still waiting for delivery. `reason`: why the last try failed. */
  recipients: readonly Readonly<{ address: string; reason: string | null }>[];
}>;

/** How postqueue(1) shows the empty sender. */
const NULL_SENDER = "MAILER-DAEMON";

/** Null for an invalid entry. */
export function parseQueueEntry(line: string): QueueEntry | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const { queue_name: queue, queue_id: id, arrival_time: arrival, sender, recipients, message_size: size } = json;
  if (typeof queue !== "string" || typeof id !== "string" || !isQueueId(id)) return null;
  if (typeof arrival !== "number" || typeof sender !== "string" || !Array.isArray(recipients)) return null;
  return {
    id,
    queue,
    at: arrival * 1_000,
    sizeBytes: typeof size === "number" ? size : 0,
    sender: sender === NULL_SENDER ? "" : sender,
    recipients: recipients.flatMap((one) => recipientOf(one) ?? []),
  };
}

function recipientOf(json: unknown): QueueEntry["recipients"][number] | null {
  if (!isObject(json) || typeof json["address"] !== "string") return null;
  const { address, delay_reason: reason } = json;
  return { address, reason: typeof reason === "string" && reason !== "" ? reason : null };
}

/** Selects no mail of the queue; commands override the fields that they need. */
export const NO_MAIL = { ids: [], account: null, sender: null, recipient: null } as const;

/** Postfix's queue: what waits there, and what the administrator does with it. */

const mail = object(() => ({
  queueId: z.string(),
  queue: meaning(z.string(), "deferred, hold, active, or another as Postfix names it."),
  heldFor: meaning(
    z.nullable(z.string()),
    "The account whose mail the guard holds, or `root` if this mail was put on hold by hand; null if it is not held.",
  ),
  at: time,
  sizeBytes: count,
  sender: meaning(z.string(), "Envelope sender; empty: a bounce or an automatic reply."),
  recipientCount: count,
  recipients: meaning(
    records({ address: z.string(), reason: z.nullable(z.string()) }),
    "Some of those still waiting for delivery; the reason is the other server's reply at the last try.",
  ),
  nextTryAt: z.nullable(time),
}));
export type QueueItem = OutputOf<typeof mail>;

const listed = object(() => ({
  items: meaning(list(mail()), "The oldest first."),
  next,
  total: meaning(count, "How many match, on all pages."),
  newestAt: meaning(z.exactOptional(time), "When the newest matching mail arrived."),
}));
const changed = object(() => ({
  changed: count,
  kept: meaning(
    records({ account: z.string(), mails: count }),
    "Mail that the guard holds for these accounts, which was left unchanged.",
  ),
  next: meaning(
    z.nullable(z.string()),
    "The `cursor` with which to repeat the request for the rest; null if nothing is left.",
  ),
}));
export type QueueChange = OutputOf<typeof changed>;

const senderOrBounce = written({
  most: 320,
  parse: parseSender,
  fault: "is not a mail address such as anna@example.org",
  says: "A mail address, or empty.",
  example: "news@example.net",
});
const OF_ACCOUNT = "Mail of this account, sent from any of its addresses. Excludes `sender`.";
const OF_SENDER = "The envelope sender; empty for bounces and automatic replies.";
const TO_RECIPIENT = "Mail that still waits for this recipient.";
const chosen = {
  ids: z._default(listOf(queueId, 100, 0), []),
  account: orNull(accountName, OF_ACCOUNT),
  sender: orNull(senderOrBounce, OF_SENDER),
  recipient: orNull(mailAddress, TO_RECIPIENT),
  state: meaning(
    z.optional(z.enum(QUEUE_STATES, `is none of ${QUEUE_STATES.join(", ")}`)),
    "Where it waits: deferred, on hold, or being delivered now.",
  ),
};
const { cursor } = page();
/** Changes some thousand mails at a time. `isAll`: selects all mail on purpose, although no other field does. */
const change = {
  ...chosen,
  until: meaning(z.optional(time), "Leaves mail that arrived later: give `newestAt` of the list."),
  isAll: z._default(flag, false),
  cursor,
};

/** Optional but not nullable: a caller whose lookup found nothing must not select all mail by sending `null`. */
const CHOICE = {
  ids: meaning(z.optional(listOf(queueId, 100)), "Only these mails."),
  account: meaning(z.optional(accountName), OF_ACCOUNT),
  sender: meaning(z.optional(senderOrBounce), OF_SENDER),
  recipient: meaning(z.optional(mailAddress), TO_RECIPIENT),
};
const all = meaning(z.optional(z.literal(true, "is not true")), "Select all mail.");
const NONE = "names no mail: ids, account, sender or recipient is needed";
const namesSome = (given: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(CHOICE).some((field) => given[field] !== undefined);
/** For changes that delete no mail. */
const ANY_MAIL = {
  named: { isAll: "all" },
  fields: { ...CHOICE, isAll: all },
  check: (given: Readonly<Record<string, unknown>>) => {
    if (given["all"] !== true) return namesSome(given) ? null : `${NONE}, or all`;
    return namesSome(given) ? "names some mail and all" : null;
  },
} as const;
const SOME_MAIL = {
  given: { isAll: false },
  fields: CHOICE,
  check: (given: Readonly<Record<string, unknown>>) => (namesSome(given) ? null : NONE),
} as const;

export const QUEUE_VERBS = [
  verb("queue_list", READ, { ...chosen, ...page() }, reads(listed)).http(
    "GET /queue",
    "Mail in Postfix's queue, oldest first, a page at a time: all, or what matches.",
    { given: { ids: [] } },
  ),
  verb("queue_hold", HOLD, change, changes(changed, "mail")).http(
    "POST /queue/hold",
    "Puts mail on hold: it is not delivered before it is released.",
    ANY_MAIL,
  ),
  verb("queue_release", HOLD, change, changes(changed, "released")).http(
    "POST /queue/release",
    "Releases mail that was put on hold by hand, 500 a day at most, together with held mail.",
    ANY_MAIL,
  ),
  verb("queue_flush", QUEUE, change, changes(changed, "mail")).http(
    "POST /queue/flush",
    "Tries deferred mail again now.",
    ANY_MAIL,
  ),
  verb("queue_delete", PROVEN_QUEUE, change, changes(changed, "deleted")).http(
    "POST /queue/delete",
    "Deletes mail permanently, 1,000 an hour at most, without notifying its sender.",
    SOME_MAIL,
  ),
  verb("queue_return", PROVEN_QUEUE, change, changes(changed, "deleted")).http(
    "POST /queue/return",
    "Returns mail to its senders as undeliverable; counts as deleted.",
    SOME_MAIL,
  ),
] as const;
