/** One page of a list. `next` is the cursor of the page behind it; null on the last. */
export type Page<T> = Readonly<{ items: readonly T[]; next: string | null }>;
/** `total`: how many items the whole list has. */
export type CountedPage<T> = Page<T> & Readonly<{ total: number }>;
/** At most `limit` items, behind the `next` of the page before; null from the start. */
export type PageRequest = Readonly<{ limit: number; cursor: string | null }>;

/** How many items a page has. Nothing lists more than `most` at once; the command line asks for several pages. */
export const PAGE = { usual: 50, most: 500, cursorCharacters: 800 } as const;

/** A page of a list that is held in memory, in the order of its keys, which no two items share. */
export function pageOf<T>(items: readonly T[], asked: PageRequest, keyOf: (item: T) => string): CountedPage<T> {
  const { limit, cursor } = asked;
  const keyed = items.map((item) => ({ item, key: keyOf(item) })).filter(({ key }) => cursor === null || key > cursor);
  const rows = keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit + 1);
  const { items: some, next } = firstPage(rows, limit, ({ key }) => key);
  return { items: some.map(({ item }) => item), next, total: items.length };
}

/** Of rows that were read with one more than `limit`: that one tells that there is a next page. */
export function firstPage<T>(rows: readonly T[], limit: number, keyOf: (item: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/** A number as a part of a cursor: texts of it ascend as numbers do. */
export function ascending(value: number): string {
  return String(value).padStart(16, "0");
}

/** Likewise, the other way round. */
export function descending(value: number): string {
  return ascending(Number.MAX_SAFE_INTEGER - value);
}
