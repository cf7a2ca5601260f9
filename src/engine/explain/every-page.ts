import type { EventItem } from "../../wire/control/items.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";

/** A search ends after 20 ms (ADR 15), so this takes a third of a second at most. */
const MOST_PAGES = 16;

/**
 * As many events as were asked for, although a search may end early with a page that is short or empty. `next` is null where
 * there are no more.
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
