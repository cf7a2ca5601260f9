import { bareMessageId } from "../../core/events/queue-id.ts";
import { hostPrefix, type Prefix, parseIp } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { AccountReport, AddressStory, EventItem, MessageReport } from "../../wire/control/items.ts";
import type { EventFilter, Queries } from "../storage-ports.ts";
import { everyPage } from "./every-page.ts";
import { timelineOf } from "./timeline.ts";

/** The most rows in one answer. */
const MOST_EVENTS = 200;
/** A mail has one queue id here, and a few if a filter hands it back. More comes from a forger. */
const MOST_NAMES = 20;
const SESSION_MS = 10 * MINUTE_MS;

export function whyAddress(queries: Queries, prefix: Prefix, now: Millis, memoryMs: number): AddressStory {
  const report = queries.address(prefix, now, memoryMs);
  return { ...report, timeline: timelineOf(report.events) };
}

/** Everything about an account: sign-ins and attempts, mail that it sent and received, changes. */
export function whyAccount(queries: Queries, account: string): AccountReport {
  const events = eventsOf(queries, { account, most: MOST_EVENTS, order: "newest_first" });
  return { account, addresses: addressesOf(events), timeline: timelineOf(events) };
}

/** One mail by its queue id or its Message-ID (with or without angle brackets): its session, its path, its end. */
export function whyMessage(queries: Queries, name: string): MessageReport {
  const asked = bareMessageId(name);
  const names = new Set([asked]);
  const found = new Map<number, EventItem>();
  // The list grows in the loop: a Message-ID leads to a queue id, which leads to more.
  for (const one of names) {
    for (const event of eventsOf(queries, { mail: one, most: MOST_EVENTS, order: "newest_first" })) {
      found.set(event.id, event);
      for (const other of [event.queueId, event.messageId === null ? null : bareMessageId(event.messageId)])
        if (other !== null && other !== "" && names.size < MOST_NAMES && found.size < MOST_EVENTS) names.add(other);
    }
  }
  const named = [...found.values()];
  for (const event of named.flatMap((accepted) => sessionOf(queries, accepted))) found.set(event.id, event);
  return {
    asked,
    queueIds: unique(named.map(({ queueId }) => queueId)),
    messageIds: unique(named.map(({ messageId }) => messageId)),
    timeline: timelineOf([...found.values()]),
  };
}

/** What the client did in the session up to the mail's acceptance. The first rows do not know the queue id yet. */
function sessionOf(queries: Queries, accepted: EventItem): readonly EventItem[] {
  const { sender, queueId } = accepted;
  const ip = accepted.ip === null ? null : parseIp(accepted.ip);
  if (ip === null || sender === null || queueId === null) return [];
  const before = eventsOf(queries, { prefix: hostPrefix(ip), before: accepted.id, most: 50, order: "newest_first" });
  const since = Date.parse(accepted.at) - SESSION_MS;
  const session: EventItem[] = [];
  for (const event of before) {
    if (event.ip !== ip || Date.parse(event.at) < since) continue;
    if (event.type === "CONNECT") return [...session, event];
    const isOther = event.queueId !== null && event.queueId !== queueId;
    if (STAGES.has(event.type) && event.sender === sender && !isOther) session.push(event);
  }
  return session;
}

const STAGES: ReadonlySet<string> = new Set([
  "RECIPIENT",
  "GREYLIST_ASKED",
  "EMAIL",
  "EMAIL_DEFERRED",
  "EMAIL_BLOCKED",
]);

function eventsOf(queries: Queries, filter: EventFilter): readonly EventItem[] {
  return everyPage((one) => queries.events(one), filter);
}

function addressesOf(events: readonly EventItem[]): AccountReport["addresses"] {
  const seen = new Map<string, { succeeded: number; failed: number; lastAt: string }>();
  for (const { ip, type, at } of events) {
    if (ip === null || !type.startsWith("LOGIN_")) continue;
    const one = seen.get(ip) ?? { succeeded: 0, failed: 0, lastAt: at };
    if (type === "LOGIN_SUCCEEDED") one.succeeded += 1;
    else one.failed += 1;
    if (at > one.lastAt) one.lastAt = at;
    seen.set(ip, one);
  }
  return [...seen].map(([ip, counts]) => ({ ip, ...counts }));
}

function unique(names: readonly (string | null)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== null).filter((name) => name !== "");
}
