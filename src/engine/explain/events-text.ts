import { isoTime } from "../../core/time.ts";
import type { EventFilter, Queries } from "../storage-ports.ts";

/**
 * A page of events as the API answers it, as JSON: one text passes between threads in a thirtieth of the time that 500
 * events with their fields take (0.03 of 1 ms, structuredClone).
 */
export function eventsText(queries: Pick<Queries, "events">, filter: EventFilter): string {
  const { items, next, searchedTo } = queries.events(filter);
  return JSON.stringify({
    items,
    next: next === null ? null : String(next),
    searchedTo: searchedTo === undefined ? null : isoTime(searchedTo),
  });
}
