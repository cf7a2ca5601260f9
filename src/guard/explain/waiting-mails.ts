import type { EventItem, WaitingMails } from "../../admin/declare/items.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import { type EventQueries, eventsSince } from "./event-pages.ts";

type Waiting = { -readonly [K in keyof WaitingMails["items"][number]]: WaitingMails["items"][number][K] };

/** Honest servers retry within this time; later retries are rare. */
const WAITING_MS = 6 * HOUR_MS;
/** Maximum events of each type that are read; the newest ones. */
const MOST_EVENTS = 2_000;
const MOST_SHOWN = 100;

/**
 * Mails that greylisting deferred and that were not retried since. The guard does not read Postgrey's answers, so they follow from
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
  const waiting = new Map<string, Waiting>();
  for (const event of [...asked.items, ...deferred.items].filter(putsOff).toSorted((a, b) => b.id - a.id)) {
    const [key = "", ...others] = keysOf(event);
    if ([key, ...others].some((one) => (ended.get(one) ?? 0) > event.id)) continue;
    const known = waiting.get(key);
    if (known === undefined) waiting.set(key, waitingBy(event));
    else Object.assign(known, { since: event.at, tries: known.tries + 1 });
  }
  return {
    items: [...waiting.values()].slice(0, MOST_SHOWN),
    total: waiting.size,
    complete: [asked, deferred, accepted, blocked].every(({ isAll }) => isAll),
  };
}

function putsOff({ reason, recipient, simulated }: EventItem): boolean {
  return (
    (reason === "greylist_asked" || reason === "first_contacts_deferred") && recipient !== null && simulated === null
  );
}

/** By its envelope; a mail to several recipients at once is identified only by its sender and client. */
function keysOf({ sender, recipient, ip }: EventItem): readonly string[] {
  const from = sender?.toLowerCase() ?? "";
  const several = `${from} from ${ip}`;
  if (recipient === null) return [several];
  return [`${from} to ${recipient.toLowerCase()}`, several];
}

function waitingBy({ sender, recipient, ip, at, reason }: EventItem): Waiting {
  const waitsFor = reason === "greylist_asked" ? "retry" : "crowd";
  return { sender: sender ?? "", recipient: recipient ?? "", ip, since: at, lastTryAt: at, tries: 1, waitsFor };
}
