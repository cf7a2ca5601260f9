import type { EventItem } from "../src/wire/control/items.ts";
import type { Page } from "../src/wire/control/paging.ts";
import { get, queryOf } from "./api.ts";
import type { Query } from "./route.ts";

/** Which events are wanted. Text and times are filtered here, the rest by the server. Times are ms since 1970. */
export type EventFilter = Readonly<{
  type: string;
  ip: string;
  account: string;
  text: string;
  from: number | null;
  to: number | null;
}>;

/** `next` null: there are no more. `searchedTo`: the time of the oldest event that was looked at. */
export type Found = Readonly<{ items: readonly EventItem[]; next: string | null; searchedTo: number | null }>;

const PAGE_ROWS = 50;
/** Read at once where the page filters itself. */
const SEARCH_ROWS = 500;
/** After these the reader is asked whether to go on. */
const MOST_ANSWERS = 8;

export function filterOf({ type = "", ip = "", account = "", text = "", from = "", to = "" }: Query): EventFilter {
  return { type, ip: ip.trim(), account: account.trim(), text, from: timeOf(from), to: timeOf(to) };
}

export function isFiltered({ type, ip, account, text, from, to }: EventFilter): boolean {
  return type !== "" || ip !== "" || account !== "" || text !== "" || from !== null || to !== null;
}

/** As far as the page can tell: what belongs to a network or an account, only the server knows. */
export function matches(event: EventItem, { type, text, from, to }: EventFilter): boolean {
  const at = Date.parse(event.at);
  if (from !== null && at < from) return false;
  if (to !== null && at > to) return false;
  if (type !== "" && event.type !== type) return false;
  return text === "" || textsOf(event).some((one) => holds(one, text));
}

/** At most `most` events, the newest first. Throws `Refused`. */
export async function findEvents(filter: EventFilter, cursor: string | null, most = PAGE_ROWS): Promise<Found> {
  const { type, ip, account, text, from, to } = filter;
  const items: EventItem[] = [];
  let next = cursor ?? (to === null ? null : await cursorAfter(to));
  let searchedTo: number | null = null;
  const limit = text === "" ? Math.min(most, SEARCH_ROWS) : SEARCH_ROWS;
  for (let answers = 0; answers < MOST_ANSWERS; answers += 1) {
    const page = await get<Page<EventItem>>(`events${queryOf({ type, ip, account, cursor: next, limit })}`);
    for (const item of page.items) {
      searchedTo = Date.parse(item.at);
      if (from !== null && searchedTo < from) return { items, next: null, searchedTo };
      if (!matches(item, filter)) continue;
      items.push(item);
      if (items.length === most) return { items, next: String(item.id), searchedTo };
    }
    next = page.next;
    if (next === null) break;
  }
  return { items, next, searchedTo };
}

/** The cursor behind which events are no later than this: ids ascend with time, so halving finds it. */
async function cursorAfter(to: number): Promise<string | null> {
  const newest = (await get<Page<EventItem>>(`events${queryOf({ limit: 1 })}`)).items[0];
  if (newest === undefined || Date.parse(newest.at) <= to) return null;
  let [low, high] = [1, newest.id];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const before = (await get<Page<EventItem>>(`events${queryOf({ limit: 1, cursor: middle })}`)).items[0];
    if (before === undefined || Date.parse(before.at) <= to) low = middle;
    else high = before.id;
  }
  return String(low);
}

function holds(value: string | null, wanted: string): boolean {
  return value?.toLowerCase().includes(wanted.toLowerCase()) ?? false;
}

function textsOf(event: EventItem): readonly (string | null)[] {
  const { details, action, ip, account, sender, recipient, queueId, messageId, helo, reason, actor } = event;
  return [details, action, ip, account, sender, recipient, queueId, messageId, helo, reason, actor];
}

/** What the fields of the form say, with times that mean the same in every time zone: for the address of the page. */
export function addressOf({ from = "", to = "", ...query }: Query): Query {
  return { ...query, from: everywhere(from), to: everywhere(to) };
}

/** What the address says, with times as fields for date and time write them, in the reader's time zone. */
export function fieldsFor({ from = "", to = "", ...query }: Query): Query {
  return { ...query, from: here(from), to: here(to) };
}

function everywhere(text: string): string {
  const at = timeOf(text);
  return at === null ? "" : new Date(at).toISOString().replace(/(:00)?\.\d+Z$/, "Z");
}

function here(text: string): string {
  const at = timeOf(text);
  if (at === null) return "";
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Without a time zone it is the reader's. */
function timeOf(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
