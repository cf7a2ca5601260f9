import type { EventItem } from "../src/wire/control/items.ts";
import { type EventFilter, findEvents } from "./event-query.ts";

/** `searchedTo`: the time of the oldest event that was looked at; null if the search came to its end. */
export type Exported = Readonly<{ items: readonly EventItem[]; searchedTo: number | null }>;

export const MOST_EXPORTED = 10_000;
const ROWS = 500;
/** What is rare is searched for some seconds: each search asks at most eight times. */
const MOST_SEARCHES = 25;

/**
 * The newest events that the filter wants, at most `MOST_EXPORTED`. `tell` gets their number so far. Null: it was
 * stopped. Throws `Refused`.
 */
export async function readForExport(
  filter: EventFilter,
  stop: AbortSignal,
  tell: (count: number) => void,
): Promise<Exported | null> {
  const items: EventItem[] = [];
  let cursor: string | null = null;
  for (let searches = 1; ; searches += 1) {
    const { items: found, next, searchedTo } = await findEvents(filter, cursor, ROWS);
    if (stop.aborted) return null;
    items.push(...found.slice(0, MOST_EXPORTED - items.length));
    tell(items.length);
    if (next === null) return { items, searchedTo: null };
    if (items.length === MOST_EXPORTED || searches === MOST_SEARCHES) return { items, searchedTo };
    cursor = next;
  }
}
