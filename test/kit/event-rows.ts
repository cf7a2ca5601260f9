import type { EventItem } from "../../src/admin/declare/items.ts";
import { bareMessageId } from "../../src/core/events/queued-mail.ts";
import { isoTime, later, MINUTE_MS } from "../../src/core/time.ts";
import type { EventFilter, EventPage } from "../../src/guard/storage-ports.ts";
import { eventItem, NOON } from "./samples.ts";

/** `minute`: minutes after noon. */
export type Row = Partial<EventItem> & Readonly<{ type: string; minute?: number }>;

/**
 * Events in the order of their ids, at most `longest` a page. A search filters by type, queue id or Message-ID, and time. By
 * network it doesn't filter: it finds every event that has an address.
 */
export function eventsOf(rows: readonly Row[], longest = Number.POSITIVE_INFINITY) {
  const items = rows.map(({ type, minute = 0, ...fields }, i) =>
    eventItem(type, { id: i + 1, at: isoTime(later(NOON, minute * MINUTE_MS)), ...fields }),
  );
  const asked: EventFilter[] = [];
  const events = (filter: EventFilter): EventPage => {
    asked.push(filter);
    const { mail, types, before = Number.POSITIVE_INFINITY, after = 0, from, prefix, order, most } = filter;
    const found = items
      .filter(({ id, type }) => id < before && id > after && types?.includes(type) !== false)
      .filter((row) => mail === undefined || row.queueId === mail || bareMessageId(row.messageId ?? "<none>") === mail)
      .filter(({ at }) => from === undefined || at >= isoTime(from))
      .filter(({ ip }) => prefix === undefined || ip !== null);
    const page = (order === "newest_first" ? found.toReversed() : found).slice(0, Math.min(most, longest));
    return { items: page, next: page.length < found.length ? (page.at(-1)?.id ?? null) : null };
  };
  return { asked, events };
}
