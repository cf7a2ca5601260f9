import type { AccountReport, AddressStory, EventItem, MessageReport } from "../../admin/declare/items.ts";
import { type EventType, typesWhere } from "../../core/events/event-types.ts";
import { bareMessageId, isQueueId, NO_MESSAGE_ID } from "../../core/events/queued-mail.ts";
import { hostPrefix, type Prefix, parseIp } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { BanRules, EventFilter, Queries } from "../storage-ports.ts";
import { everyPage, FURTHER_PAGES, unique } from "./event-pages.ts";
import { timelineOf } from "./timeline.ts";

/** Maximum rows in one answer. */
const MOST_EVENTS = 200;
/** Maximum mails with one Message-ID that are shown together, and events of each. */
const MOST_MAILS = 20;
const MOST_EVENTS_OF_EACH = 50;
const SESSION_MS = 10 * MINUTE_MS;

/** What an account did, and changes to it. Strangers cause none of these, so they cannot crowd them out. */
const OWN: readonly EventType[] = ["LOGIN_SUCCEEDED", ...typesWhere(({ of }) => of !== undefined)];
const MOST_OF_TYPE = 10;

export function whyAddress(queries: Queries, prefix: Prefix, now: Millis, bans: BanRules): AddressStory {
  const report = queries.address(prefix, now, bans);
  return { ...report, timeline: timelineOf(report.events) };
}

/** Everything about an account: sign-ins and attempts, mail that it sent and received, changes. */
export function whyAccount(queries: Queries, account: string): AccountReport {
  const { items, next } = everyPage(queries, { account, most: MOST_EVENTS, order: "newest_first" });
  const further = { pages: FURTHER_PAGES };
  const ofType = (type: EventType): readonly EventItem[] => {
    const filter: EventFilter = { account, types: [type], most: MOST_OF_TYPE, order: "newest_first" };
    return everyPage(queries, filter, further).items;
  };
  const own = next === null ? items.filter(({ type }) => OWN.some((one) => one === type)) : OWN.flatMap(ofType);
  return {
    account,
    addresses: addressesOf(items),
    own: timelineOf(own),
    complete: next === null,
    timeline: timelineOf(items),
  };
}

/**
 * One mail, by its queue id or its Message-ID (with or without angle brackets): its session, its path, its end. The sender chooses
 * the Message-ID, so many mails may share it: a Message-ID shows the newest of them, a queue id
 * only that mail.
 */
export function whyMessage(queries: Queries, name: string): MessageReport {
  const asked = bareMessageId(name);
  const { events, otherQueueIds, complete } = isQueueId(asked) ? mailOf(queries, asked) : mailsOf(queries, asked);
  const all = [...events, ...events.flatMap((one) => stagesBefore(queries, one))];
  const found = new Map(all.map((event) => [event.id, event]));
  return {
    asked,
    queueIds: unique(events.map(({ queueId }) => queueId)),
    messageIds: messageIdsOf(events),
    otherQueueIds,
    complete,
    timeline: timelineOf([...found.values()]),
  };
}

type FoundEvents = Readonly<{ events: readonly EventItem[]; otherQueueIds: readonly string[]; complete: boolean }>;

/**
 * The mail with a queue id. Rows with only a Message-ID, such as the spam score, are included if they came within
 * `SESSION_MS` of the mail's first row.
 */
function mailOf(queries: Queries, queueId: string): FoundEvents {
  const own = everyPage(queries, { mail: queueId, most: MOST_EVENTS, order: "newest_first" });
  const first = own.items.at(-1);
  const messageIds = messageIdsOf(own.items).slice(0, MOST_MAILS);
  const events = [...own.items];
  const others: (string | null)[] = [];
  for (const mail of messageIds.map(bareMessageId)) {
    others.push(
      ...everyPage(queries, { mail, most: MOST_EVENTS, order: "newest_first" }).items.map((one) => one.queueId),
    );
    const near = everyPage(queries, { mail, after: first?.id ?? 0, most: MOST_EVENTS, order: "oldest_first" });
    const until = Date.parse(first?.at ?? "") + SESSION_MS;
    events.push(...near.items.filter((one) => (one.queueId ?? "") === "" && Date.parse(one.at) <= until));
  }
  const otherQueueIds = unique(others).filter((other) => other !== queueId);
  return { events, otherQueueIds, complete: own.next === null };
}

/** The newest mails of a Message-ID. */
function mailsOf(queries: Queries, messageId: string): FoundEvents {
  const named = everyPage(queries, { mail: messageId, most: MOST_EVENTS, order: "newest_first" });
  const queueIds = unique(named.items.map(({ queueId }) => queueId));
  const [shownIds, otherQueueIds] = [queueIds.slice(0, MOST_MAILS), queueIds.slice(MOST_MAILS)];
  const others = new Set<string | null>(otherQueueIds);
  const events = named.items.filter(({ queueId }) => !others.has(queueId));
  let complete = named.next === null && otherQueueIds.length === 0;
  for (const mail of shownIds) {
    const way = everyPage(queries, { mail, most: MOST_EVENTS_OF_EACH, order: "newest_first" });
    events.push(...way.items);
    complete &&= way.next === null;
  }
  return { events, otherQueueIds, complete };
}

/**
 * What the client did in the session until this event. The first rows do not know the queue id yet. Found
 * by address, sender and time, because the search does not return `rest.session`; connections at the same time may mix.
 */
function stagesBefore(queries: Queries, last: EventItem): readonly EventItem[] {
  const { sender, queueId } = last;
  const ip = last.ip === null ? null : parseIp(last.ip);
  if (ip === null || sender === null || queueId === null) return [];
  const filter = { prefix: hostPrefix(ip), before: last.id, most: 50, order: "newest_first" } as const;
  const { items: before } = everyPage(queries, filter);
  const since = Date.parse(last.at) - SESSION_MS;
  const stages: EventItem[] = [];
  for (const event of before) {
    if (event.ip !== ip || Date.parse(event.at) < since) continue;
    if (event.type === "CONNECT") return [...stages, event];
    const isOther = event.queueId !== null && event.queueId !== queueId;
    if (STAGES.has(event.type) && event.sender === sender && !isOther) stages.push(event);
  }
  return stages;
}

const STAGES: ReadonlySet<string> = new Set([
  "RECIPIENT",
  "GREYLIST_ASKED",
  "EMAIL",
  "EMAIL_DEFERRED",
  "EMAIL_BLOCKED",
]);

function addressesOf(events: readonly EventItem[]): AccountReport["addresses"] {
  const seen = new Map<string, { succeeded: number; failed: number; lastAt: string }>();
  for (const { ip, type, at, simulated } of events) {
    if (ip === null || !type.startsWith("LOGIN_")) continue;
    const one = seen.getOrInsert(ip, { succeeded: 0, failed: 0, lastAt: at });
    if (type === "LOGIN_SUCCEEDED") one.succeeded += 1;
    // A delayed sign-in, or one refused in simulation, has another event with its outcome.
    else if (type === "LOGIN_FAILED" || (type === "LOGIN_REFUSED" && simulated === null)) one.failed += 1;
    if (at > one.lastAt) one.lastAt = at;
  }
  return [...seen].map(([ip, counts]) => ({ ip, ...counts }));
}

function messageIdsOf(events: readonly EventItem[]): readonly string[] {
  return unique(events.map(({ messageId }) => messageId)).filter((messageId) => messageId !== NO_MESSAGE_ID);
}
