import type { EventItem } from "../../wire/control/items.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";

/** A search ends after 20 ms (ADR 15), so this takes at most a third of a second. */
const MOST_PAGES = 16;

/**
 * Returns the requested number of events, although a search may end early with a short or empty page. `next` is null on the
 * last page.
 */
export function everyPage(find: (filter: EventFilter) => EventPage, filter: EventFilter): EventPage {
  const items: EventItem[] = [];
  let from = filter;
  let next: number | null = null;
  for (let pages = 0; pages < MOST_PAGES && items.length < filter.most; pages++) {
    const page = find({ ...from, most: filter.most - items.length });
    items.push(...page.items);
    next = page.next;
    if (page.next === null) break;
    from = filter.order === "newest_first" ? { ...filter, before: page.next } : { ...filter, after: page.next };
  }
  return { items, next };
}
