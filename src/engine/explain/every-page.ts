import type { EventItem } from "../../wire/control/items.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";

/** A search ends after 20 ms (ADR 15), so this takes a third of a second at most. */
const MOST_PAGES = 16;

/** As many events as requested, although one search may end early with a short or empty page. */
export function everyPage(find: (filter: EventFilter) => EventPage, filter: EventFilter): readonly EventItem[] {
  const items: EventItem[] = [];
  let from = filter;
  for (let pages = 0; pages < MOST_PAGES && items.length < filter.most; pages++) {
    const page = find({ ...from, most: filter.most - items.length });
    items.push(...page.items);
    if (page.next === null) break;
    from = filter.order === "newest_first" ? { ...filter, before: page.next } : { ...filter, after: page.next };
  }
  return items;
}
