import type { EventItem } from "../../admin/declare/items.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { EventFilter, EventPage, Queries } from "../storage-ports.ts";

export type EventQueries = Pick<Queries, "events">;
export type AskedPage = Readonly<{ limit: number; cursor: number | null }>;

/** A search ends after 20 ms (ADR 15), so this takes at most a third of a second. */
const MOST_PAGES = 16;

/**
 * Returns the requested number of events, although a search may end early with a short or empty page. `next` is null on the
 * last page.
 */
export function everyPage(queries: EventQueries, filter: EventFilter): EventPage {
  const items: EventItem[] = [];
  let from = filter;
  let next: number | null = null;
  for (let pages = 0; pages < MOST_PAGES && items.length < filter.most; pages++) {
    const page = queries.events({ ...from, most: filter.most - items.length });
    items.push(...page.items);
    next = page.next;
    if (page.next === null) break;
    from = filter.order === "newest_first" ? { ...filter, before: page.next } : { ...filter, after: page.next };
  }
  return { items, next };
}

/** At most `most` events of a type since a time, newest first; `isAll`: these are all. */
export function eventsSince(queries: EventQueries, type: string, since: Millis, most: number) {
  const { items, next } = everyPage(queries, { types: [type], most, order: "newest_first" });
  const first = isoTime(since);
  const newer = items.filter(({ at }) => at >= first);
  return { items: newer, isAll: next === null || newer.length < items.length };
}

/**
 * A page of events as the API answers it, as JSON: one text passes between threads in a thirtieth of the time that 500
 * events with their fields take (0.03 of 1 ms, structuredClone).
 */
export function eventsText(queries: EventQueries, filter: EventFilter): string {
  const { items, next, searchedTo } = queries.events(filter);
  return JSON.stringify({
    items,
    next: cursorOf(next),
    searchedTo: searchedTo === undefined ? null : isoTime(searchedTo),
  });
}

/** Without repeated, missing and empty ones. */
export function unique(names: readonly (string | null)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== null).filter((name) => name !== "");
}

export function cursorOf(id: number | null): string | null {
  return id === null ? null : String(id);
}
