import type { EventItem } from "../../../src/admin/declare/items.ts";
import type { EventType } from "../../../src/core/events/event-types.ts";
import { type Answer, request } from "../../api.ts";
import { localTime } from "../../format.ts";
import { MOST_ROWS } from "../../live-list.ts";
import type { Query } from "../../route.ts";

type EventFilter = ReturnType<typeof filterOf>;

export type EventPage = Answer<"GET /events">;

/** Which events are wanted. Times are in UTC (ISO 8601). */
export function filterOf({ type = "", ip = "", account = "", text = "", from = "", to = "" }: Query) {
  // A field for a time has no seconds, so its last minute is included.
  const last = to.replace(/(T\d\d:\d\d)(Z?)$/, "$1:59.999$2");
  return { type, ip: ip.trim(), account: account.trim(), text, from: isoOf(from), to: isoOf(last) };
}

export function isFiltered(filter: EventFilter): boolean {
  return Object.values(filter).some((value) => value !== "");
}

/** A search ends after `most` events or `mostAnswers` answers, each of which the server limits to 20 ms. `onProgress` gets the count. */
type Search = Readonly<{ most: number; mostAnswers: number; stop?: AbortSignal; onProgress?: (count: number) => void }>;

/** Beyond this, the reader is asked whether to continue. */
const OF_PAGE: Search = { most: 50, mostAnswers: 8 };
/** Rare events may take some seconds to find. */
export const OF_EXPORT: Search = { most: 10_000, mostAnswers: 200 };

/** Newest first. Throws `RequestError`. */
export async function findEvents(filter: EventFilter, cursor: string | null, search = OF_PAGE): Promise<EventPage> {
  const { most, mostAnswers, stop, onProgress } = search;
  const items: EventItem[] = [];
  for (let [next, answers] = [cursor, 1]; ; answers += 1) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server refuses what is none
    const type = [filter.type as EventType];
    const query = { ...filter, type, cursor: next, limit: Math.min(MOST_ROWS, most - items.length) };
    const page = await request("GET /events", { query });
    items.push(...page.items);
    next = page.next;
    onProgress?.(items.length);
    if (stop?.aborted === true || next === null || items.length >= most || answers === mostAnswers)
      return { items, next, searchedTo: page.searchedTo };
  }
}

/** Turns the form's values into those of the page's address, with times that mean the same in every time zone. */
export function addressOf(query: Query): Query {
  return withTimes(query, (iso) => iso.replace(/(:00)?\.\d+Z$/, "Z"));
}

/** Turns the values of the page's address into the form's, with times in its format and in the reader's time zone. */
export function fieldsFor(query: Query): Query {
  return withTimes(query, (iso) => localTime(Date.parse(iso)));
}

function withTimes({ from = "", to = "", ...query }: Query, written: (iso: string) => string): Query {
  const again = (iso: string): string => (iso === "" ? "" : written(iso));
  return { ...query, from: again(isoOf(from)), to: again(isoOf(to)) };
}

/** A time without a zone is in the reader's zone. Empty if the text is not a time. */
function isoOf(text: string): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}
