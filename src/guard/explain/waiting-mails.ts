import type { EventItem, WaitingMails } from "../../admin/declare/items.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import { type EventQueries, eventsSince } from "./event-pages.ts";

/** Honest servers retry within this time; later retries are rare. */
const WAITING_MS = 6 * HOUR_MS;
/** Maximum events of each type that are read; the newest ones. */
const MOST_EVENTS = 2_000;
const MOST_SHOWN = 100;

/**
 * Mails that greylisting deferred and that were not retried since. The guard does not read Postgrey's answers, but infers them from
 * the next event: a mail that passed is accepted or refused seconds later.
 */
export function waitingMails(queries: EventQueries, now: Millis): WaitingMails {
  const found = (type: string) => eventsSince(queries, type, later(now, -WAITING_MS), MOST_EVENTS);
  const [asked, deferred, accepted, blocked] = [
    found("GREYLIST_ASKED"),
    found("EMAIL_DEFERRED"),
    found("EMAIL_ACCEPTED"),
    found("EMAIL_BLOCKED"),
  ];
  const ended = new Map<string, number>();
  for (const event of [...accepted.items, ...blocked.items])
    for (const key of keysOf(event).slice(0, 1)) ended.set(key, Math.max(ended.get(key) ?? 0, event.id));
  const tries = [...asked.items, ...deferred.items]
    .filter((event) => isDeferred(event) && keysOf(event).every((key) => (ended.get(key) ?? 0) <= event.id))
    .toSorted((a, b) => b.id - a.id);
  const waiting = [...Map.groupBy(tries, (event) => keysOf(event)[0]).values()];
  return {
    items: waiting.slice(0, MOST_SHOWN).flatMap(waitingItem),
    total: waiting.length,
    complete: [asked, deferred, accepted, blocked].every(({ isAll }) => isAll),
  };
}

function isDeferred({ reason, recipient, simulated }: EventItem): boolean {
  return (
    (reason === "greylist_asked" || reason === "first_contacts_deferred") && recipient !== null && simulated === null
  );
}

/** Identifies a mail by its envelope, or a mail to several recipients at once only by its sender and client. */
function keysOf({ sender, recipient, ip }: EventItem): readonly string[] {
  const from = sender?.toLowerCase() ?? "";
  const several = `${from} from ${ip}`;
  if (recipient === null) return [several];
  return [`${from} to ${recipient.toLowerCase()}`, several];
}

/** `tries`: of one mail, newest first. */
function waitingItem(tries: readonly EventItem[]): WaitingMails["items"] {
  const [last, first] = [tries[0], tries.at(-1)];
  if (last === undefined || first === undefined) return [];
  const { sender, recipient, ip, at: lastTryAt, reason } = last;
  const mail = { sender: sender ?? "", recipient: recipient ?? "", ip, since: first.at, lastTryAt };
  return [{ ...mail, tries: tries.length, waitsFor: reason === "greylist_asked" ? "retry" : "crowd" }];
}
