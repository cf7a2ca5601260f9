import type { EventItem } from "../../../src/admin/declare/items.ts";
import type { Page } from "../../../src/admin/declare/paging.ts";
import { get, queryOf } from "../../api.ts";
import { localTime } from "../../format.ts";
import type { Query } from "../../route.ts";

/** Which events are wanted. Times are ms since 1970. */
export type EventFilter = Readonly<{
  type: string;
  ip: string;
  account: string;
  text: string;
  from: number | null;
  to: number | null;
}>;

/** `next` null: that was the last page. `searchedTo`: the time of the oldest event that was looked at; null on the last page. */
export type Found = Readonly<{ items: readonly EventItem[]; next: string | null; searchedTo: number | null }>;

const PAGE_ROWS = 50;
/** The server ends each search after 20 ms. After this many answers the reader is asked whether to continue. */
const MOST_ANSWERS = 8;

export function filterOf({ type = "", ip = "", account = "", text = "", from = "", to = "" }: Query): EventFilter {
  return { type, ip: ip.trim(), account: account.trim(), text, from: timeOf(from), to: timeOf(to) };
}

export function isFiltered(filter: EventFilter): boolean {
  return Object.values(filter).some((value) => value !== "" && value !== null);
}

/** At most `most` events, newest first. Throws `Refused`. */
export async function findEvents(filter: EventFilter, cursor: string | null, most = PAGE_ROWS): Promise<Found> {
  const asked = { ...filter, from: isoOf(filter.from), to: isoOf(filter.to) };
  const items: EventItem[] = [];
  for (let [next, answers] = [cursor, 1]; ; answers += 1) {
    const query = queryOf({ ...asked, cursor: next, limit: most - items.length });
    const page = await get<Page<EventItem> & Readonly<{ searchedTo: string | null }>>(`events${query}`);
    items.push(...page.items);
    next = page.next;
    if (next === null || items.length >= most || answers === MOST_ANSWERS)
      return { items, next, searchedTo: timeOf(page.searchedTo ?? "") };
  }
}

/** The values of the form for the address of the page, with times that mean the same in every time zone. */
export function addressOf({ from = "", to = "", ...query }: Query): Query {
  return { ...query, from: everywhere(from), to: everywhere(to) };
}

/** The values of the page's address for the form, with times in the format of its fields and in the reader's time zone. */
export function fieldsFor({ from = "", to = "", ...query }: Query): Query {
  return { ...query, from: here(from), to: here(to) };
}

function everywhere(text: string): string {
  const at = timeOf(text);
  return at === null ? "" : new Date(at).toISOString().replace(/(:00)?\.\d+Z$/, "Z");
}

function here(text: string): string {
  const at = timeOf(text);
  return at === null ? "" : localTime(at);
}

function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** A text without a time zone is in the reader's. */
function timeOf(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

export const MOST_EXPORTED = 10_000;
const ROWS = 500;
/** Rare events may take some seconds to find: each search asks the server at most eight times. */
const MOST_SEARCHES = 25;

/**
 * The newest events that the filter wants, at most `MOST_EXPORTED`. `tell` gets their number so far. Null: the reader
 * stopped the search. Throws `Refused`.
 */
export async function readForExport(
  filter: EventFilter,
  stop: AbortSignal,
  tell: (count: number) => void,
): Promise<Omit<Found, "next"> | null> {
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
