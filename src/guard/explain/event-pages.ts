import type { EventItem } from "../../admin/declare/items.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { EventFilter, EventPage, Queries } from "../storage-ports.ts";

export type EventQueries = Pick<Queries, "events">;
export type AskedPage = Readonly<{ limit: number; cursor: number | null }>;

/** Maximum pages after the first. A search ends after 20 ms (ADR 15), so all of them take at most a third of a second. */
export const FURTHER_PAGES = 15;

/**
 * Returns the requested number of events, although a search may end early with a short or empty page. `next` is null on the
 * last page. `further`: how many pages may follow the first; several calls may share them.
 */
export function everyPage(queries: EventQueries, filter: EventFilter, further = { pages: FURTHER_PAGES }): EventPage {
  const items: EventItem[] = [];
  for (let from = filter; ; ) {
    const { items: some, next } = queries.events({ ...from, most: filter.most - items.length });
    items.push(...some);
    if (next === null || items.length >= filter.most || further.pages-- <= 0) return { items, next };
    from = filter.order === "newest_first" ? { ...filter, before: next } : { ...filter, after: next };
  }
}

/** At most `most` events of a type since a time, newest first; `isAll`: these are all. */
export function eventsSince(queries: EventQueries, type: string, since: Millis, most: number) {
  const { items, next } = everyPage(queries, { types: [type], most, order: "newest_first" });
  const first = isoTime(since);
  const newer = items.filter(({ at }) => at >= first);
  return { items: newer, isAll: next === null || newer.length < items.length };
}

/**
 * A page of events, as the JSON text that the API returns. A text passes between threads in a thirtieth of the time that 500
 * events with their fields take (0.03 ms instead of 1 ms, structuredClone).
 */
export function eventsText(queries: EventQueries, filter: EventFilter): string {
  const { items, next, searchedTo } = queries.events(filter);
  return JSON.stringify({
    items,
    next: cursorOf(next),
    searchedTo: searchedTo === undefined ? null : isoTime(searchedTo),
  });
}

/** Drops repeated, missing and empty names. */
export function unique(names: readonly (string | null)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== null).filter((name) => name !== "");
}

export function cursorOf(id: number | null): string | null {
  return id === null ? null : String(id);
}
