import type { EventFilter } from "../../../engine/storage-ports.ts";

/**
 * Ids in the requested order that contain all events of a filter up to `reached`. Each must still be checked against
 * the filter.
 */
export type Candidates = Readonly<{ ids: readonly number[]; reached: number }>;

/** A range of ids, both ends exclusive. */
export type Span = Readonly<{ after: number; before: number }>;

/** The next ids of one index entry, within a span. */
export type Stream = Readonly<{ next: (after: number, before: number, most: number) => readonly number[] }>;

/** Ids read from an index at once. */
const MOST_AT_ONCE = 256;

/** Merges ids of several streams in one order, each id once. */
export function* merged(streams: readonly Stream[], span: Span, { order, most }: EventFilter): Generator<Candidates> {
  const isNewest = order === "newest_first";
  const batch = Math.max(16, Math.min(most, MOST_AT_ONCE));
  const atOnce = streams.length > 4 ? 16 : batch;
  const begin = (stream: Stream): Head => ({ stream, ids: stream.next(span.after, span.before, atOnce), place: 0 });
  let heads = streams.map(begin).filter(({ ids }) => ids.length > 0);
  for (;;) {
    const ids: number[] = [];
    for (let head = foremost(heads, isNewest); head !== null && ids.length < batch; head = foremost(heads, isNewest)) {
      const id = idOf(head);
      if (ids.at(-1) !== id) ids.push(id);
      head.place += 1;
      if (head.place < head.ids.length) continue;
      if (head.ids.length === atOnce) {
        head.ids = isNewest ? head.stream.next(span.after, id, atOnce) : head.stream.next(id, span.before, atOnce);
        head.place = 0;
      }
      if (head.place >= head.ids.length) heads = heads.filter((one) => one !== head);
    }
    const reached = ids.at(-1);
    if (reached === undefined) return;
    yield { ids, reached };
  }
}

/** How far a stream has been read. */
type Head = { readonly stream: Stream; ids: readonly number[]; place: number };

function foremost(heads: readonly Head[], isNewest: boolean): Head | null {
  let found: Head | null = null;
  for (const head of heads)
    if (found === null || (isNewest ? idOf(head) > idOf(found) : idOf(head) < idOf(found))) found = head;
  return found;
}

function idOf({ ids, place }: Head): number {
  return ids[place] ?? 0;
}
