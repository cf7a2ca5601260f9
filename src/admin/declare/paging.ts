/** One page of a list. `next` is the cursor of the next page; null on the last. */
export type Page<T> = Readonly<{ items: readonly T[]; next: string | null }>;
/** `total`: how many items the whole list has. */
export type CountedPage<T> = Page<T> & Readonly<{ total: number }>;
/** At most `limit` items, starting after the page whose `next` is the cursor; null: from the start. */
export type PageRequest = Readonly<{ limit: number; cursor: string | null }>;

/** Items on a page. No list returns more than `most` at once; the command line asks for several pages. */
export const PAGE = { usual: 50, most: 500, cursorCharacters: 800 } as const;

/** Requests a whole list within one program: the limit exceeds any list of such a server. */
export const ALL: PageRequest = { limit: 10_000_000, cursor: null };

export function pageByKey<T>(items: readonly T[], asked: PageRequest, keyOf: (item: T) => string): CountedPage<T> {
  const { limit, cursor } = asked;
  const keyed = items.map((item) => ({ item, key: keyOf(item) })).filter(({ key }) => cursor === null || key > cursor);
  const rows = keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit + 1);
  const { items: some, next } = firstPage(rows, limit, ({ key }) => key);
  return { items: some.map(({ item }) => item), next, total: items.length };
}

/** The page from rows that were read with `limit + 1`: an extra row shows that there is a next page. */
export function firstPage<T>(rows: readonly T[], limit: number, keyOf: (item: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/** A number in a cursor, as text that sorts like the number. */
export function ascending(value: number): string {
  return String(value).padStart(16, "0");
}

/** The same in descending order. */
export function descending(value: number): string {
  return ascending(Number.MAX_SAFE_INTEGER - value);
}

/** The cursor before every mail of the queue. A change with a cursor succeeds even if it finds no mail. */
export const BEFORE_ALL_MAIL = `${ascending(0)} 00000`;
