import type { EventItem, MailStep, OwnMail, OwnSignIn } from "../../admin/declare/items.ts";
import type { Page } from "../../admin/declare/paging.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { bareMessageId, isQueueId, NO_MESSAGE_ID } from "../../core/events/queued-mail.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { instant, MINUTE_MS } from "../../core/time.ts";
import type { EventFilter } from "../storage-ports.ts";
import { type AskedPage, cursorOf, type EventQueries, everyPage, unique } from "./event-pages.ts";

/**
 * Who may see the mail: an account, and every address that leads to it, in lower case. What happened before `createdAt` belongs to a
 * earlier account of that name.
 */
type Reader = Readonly<{ account: string; addresses: readonly string[]; createdAt: string }>;

/** Maximum mails with one Message-ID that are read, and events of each. */
const MOST_MAILS = 20;
const MOST_EVENTS = 100;
/** The spam filter knows a mail only by its Message-ID: its score is noted within this time of the mail's first event. */
const SCORED_WITHIN_MS = 10 * MINUTE_MS;

/** The meaning of a step for the user. No sentence names an address, because an alias may have further targets. */
const STEPS: ReadonlyMap<string, readonly [MailStep, string]> = new Map<EventType, readonly [MailStep, string]>([
  ["EMAIL_ACCEPTED", ["accepted", "The server received the whole mail; its delivery is a separate step."]],
  ["EMAIL_QUEUED", ["queued", "The mail is in the queue."]],
  ["EMAIL_HELD", ["held", "The server holds the mail until its administrator has looked at it."]],
  ["EMAIL_DEFERRED", ["put_off", "The server asked the sender to try again later."]],
  ["EMAIL_BLOCKED", ["refused", "The server refused the mail."]],
  ["SPAM_SCORED", ["spam", "The spam filter classified the mail as spam: it goes to the Junk folder."]],
  ["EMAIL_DELIVERED", ["delivered", "The mail was delivered; it may be in the Junk folder."]],
  ["EMAIL_DELAYED", ["waiting", "The mail could not be delivered yet; delivery will be retried."]],
  ["EMAIL_BOUNCED", ["returned", "The delivery failed permanently."]],
  ["QUEUE_HELD", ["held", "The administrator holds the mail."]],
  ["QUEUE_RELEASED", ["queued", "The administrator released the mail."]],
  ["QUEUE_DELETED", ["deleted", "The administrator deleted the mail."]],
]);

/**
 * The path of a mail that the reader sent or received. Null if there is none, or if it belongs to others. The sender chooses the
 * Message-ID, so each mail with this one is judged separately. Only the reader's part of a mail to several recipients is shown.
 */
export function ownMail(all: EventQueries, reader: Reader, id: string): OwnMail | null {
  const queries = sinceCreated(all, reader);
  // One search for each Message-ID, because many mails may have the same.
  const searched = new Map<string, readonly EventItem[]>();
  const scoresOf = (mail: string) =>
    searched.getOrInsertComputed(mail, () => eventsOf(queries, { mail, types: ["SPAM_SCORED"] }));
  const steps = queueIdsOf(queries, bareMessageId(id))
    .flatMap((queueId) => withoutLoop(ownEvents(eventsOf(queries, { mail: queueId }), reader, scoresOf)))
    .toSorted((one, other) => one.id - other.id)
    .flatMap(stepOf);
  const last = steps.at(-1);
  return last === undefined ? null : { state: last.what, steps };
}

function sinceCreated(queries: EventQueries, { createdAt }: Pick<Reader, "createdAt">): EventQueries {
  const from = instant(Date.parse(createdAt));
  return { events: (filter) => queries.events({ ...filter, from }) };
}

function queueIdsOf(queries: EventQueries, asked: string): readonly string[] {
  if (isQueueId(asked)) return [asked];
  const named = eventsOf(queries, { mail: asked }).map(({ queueId }) => queueId);
  return unique(named).slice(0, MOST_MAILS);
}

/** The events with the spam filter's scores for this Message-ID. */
type ScoresOf = (messageId: string) => readonly EventItem[];

/** The reader's part of the events of one mail; empty if it belongs to others. */
function ownEvents(events: readonly EventItem[], { account, addresses }: Reader, scoresOf: ScoresOf) {
  if (events.some((event) => event.account?.toLowerCase() === account)) return events;
  const isMine = ({ recipient }: EventItem): boolean => {
    const address = recipient?.toLowerCase() ?? "";
    // The name of an alias may itself contain an extension.
    return addresses.includes(address) || addresses.includes(withoutExtension(address));
  };
  if (!events.some(isMine)) return [];
  const own = events.filter((event) => event.recipient === null || isMine(event));
  return [...own, ...spamVerdicts(events, scoresOf).filter(isMine)];
}

/** The guard may note the end of a looped mail after Postfix has refused it. */
function withoutLoop(events: readonly EventItem[]): readonly EventItem[] {
  const isLooped = events.some(({ reason }) => reason === "mail_loop");
  return isLooped ? events.filter(({ type }) => type !== "EMAIL_ACCEPTED") : events;
}

/** The spam filter's verdicts on the mail with these events. */
function spamVerdicts(events: readonly EventItem[], scoresOf: ScoresOf): readonly EventItem[] {
  const named = events.map((event) => event.messageId ?? NO_MESSAGE_ID);
  const messageId = named.find((name) => name !== NO_MESSAGE_ID);
  // The score is often noted after the refusal.
  if (messageId === undefined || events.some(({ reason }) => reason === "spam_refused")) return [];
  const startMs = Math.min(...events.map(({ at }) => Date.parse(at)));
  return scoresOf(bareMessageId(messageId)).filter(
    ({ at, verdict }) => verdict === "mark" && Math.abs(Date.parse(at) - startMs) <= SCORED_WITHIN_MS,
  );
}

function eventsOf(queries: EventQueries, part: Pick<EventFilter, "mail" | "types">): readonly EventItem[] {
  return everyPage(queries, { ...part, most: MOST_EVENTS, order: "newest_first" }).items;
}

function stepOf({ at, type }: EventItem): OwnMail["steps"] {
  const step = STEPS.get(type);
  return step === undefined ? [] : [{ at, what: step[0], says: step[1] }];
}

/** What each type means for the user. */
const SIGN_IN_OUTCOMES: ReadonlyMap<string, OwnSignIn["what"]> = new Map<EventType, OwnSignIn["what"]>([
  ["LOGIN_SUCCEEDED", "signed_in"],
  ["LOGIN_FAILED", "wrong_password"],
  ["LOGIN_DELAYED", "slowed"],
  ["LOGIN_REFUSED", "refused"],
]);
const SIGN_IN_TYPES = [...SIGN_IN_OUTCOMES.keys()];

/**
 * Every sign-in to an account, successful, failed or refused, by any protocol, newest first. The cursor is an event's id. A page
 * may be short, even empty, and still have a `next`: one search takes at most a third of a second, so that users do not delay
 * each other.
 */
export function ownSignIns(queries: EventQueries, reader: Reader, { limit, cursor }: AskedPage): Page<OwnSignIn> {
  const { account } = reader;
  const part = { account, types: SIGN_IN_TYPES, most: limit, order: "newest_first" as const };
  const filter = cursor === null ? part : { ...part, before: cursor };
  const { items, next } = everyPage(sinceCreated(queries, reader), filter);
  return { items: items.flatMap((event) => signInItems(event, account)), next: cursorOf(next) };
}

function signInItems({ at, ip, service, type, ...event }: EventItem, account: string): readonly OwnSignIn[] {
  const what = SIGN_IN_OUTCOMES.get(type);
  // In simulation, the sign-in was not refused or slowed: another event has its outcome.
  if (event.simulated !== null && (what === "refused" || what === "slowed")) return [];
  if (what === undefined || event.account?.toLowerCase() !== account) return [];
  return [{ at, ip, service, isRight: what === "signed_in", what }];
}
