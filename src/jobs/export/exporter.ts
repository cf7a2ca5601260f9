import type { ShownEvent } from "../../core/events/columns.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { EventFilter, EventPage } from "../../guard/storage-ports.ts";

/** Returns ok once the receiver has confirmed all events, as far as its protocol allows. Never rejects. */
export type Deliver = (events: readonly ShownEvent[]) => Promise<Outcome>;

/** The last delivered event, and its time, which identifies it. With id 0 and a null time, all stored events are still to be sent. */
export type Delivered = Readonly<{ id: number; at: string | null }>;

type ExporterParts = Readonly<{
  events: (filter: EventFilter) => EventPage;
  receiver: Readonly<{ deliver: Deliver }>;
  /** How far the events have been delivered: survives a restart. */
  record: Readonly<{
    /** Null before the first. */
    last: () => Delivered | null;
    /** `lost`: events that were removed before this one without having been delivered. Returns false if it cannot be written now. */
    note: (last: Delivered, said: Readonly<{ trouble: string | null; lost: number }>) => boolean;
  }>;
}>;

const AT_ONCE = 200;
const LOOK_MS = SECOND_MS;
const FIRST_WAIT_MS = SECOND_MS;
const LONGEST_WAIT_MS = MINUTE_MS;

/**
 * Follows the committed events by their ids. The position moves only after the receiver has confirmed, so after a kill events are sent
 * again under the same ids. Ids have no gaps, so a missing one was removed, and is counted. If a different event has the id of the last
 * one, this is a different database or an earlier state of it, and all its events are sent.
 */
export function createExporter({ events, receiver, record }: ExporterParts) {
  let last: Delivered | null = null;
  let waitMs = FIRST_WAIT_MS;
  /** Whether the record shows the last position, and no trouble. */
  let isNoted = false;
  /** Events missing up to this id may have been delivered long ago. */
  let uncountedUntil = 0;

  const end = (order: EventFilter["order"]): ShownEvent | undefined => events({ most: 1, order }).items[0];
  const newest = (): number => end("newest_first")?.id ?? 0;

  /** The position before the oldest stored event. */
  function first(): Delivered {
    uncountedUntil = newest();
    return { id: (end("oldest_first")?.id ?? 1) - 1, at: null };
  }

  /** The first run starts with the events from now on. */
  function start(): Delivered {
    const noted = record.last();
    if (noted === null) return end("newest_first") ?? { id: 0, at: null };
    if (noted.id === 0) return first();
    if (noted.at === null) uncountedUntil = newest();
    return noted;
  }

  function missing(before: Delivered, items: readonly ShownEvent[]): number {
    const from = Math.max(before.id, uncountedUntil);
    const counted = items.filter(({ id }) => id > from).length;
    return Math.max(0, (items.at(-1)?.id ?? 0) - from - counted);
  }

  function note({ id, at }: Delivered, trouble: string | null, lost = 0): void {
    last = { id, at };
    isNoted = record.note(last, { trouble, lost }) && trouble === null;
  }

  return {
    /** Runs one step; returns how long to wait before the next, in ms. Throws if the events cannot be read. */
    step: async (): Promise<number> => {
      const before = (last ??= start());
      // Includes the last delivered event, to check that it is still the same.
      const after = Math.max(0, before.id - 1);
      const { items: found, next } = events({ after, most: AT_ONCE + 1, order: "oldest_first" });
      if (isOther(before, found[0])) {
        note(first(), null);
        return 0;
      }
      const items = found.filter(({ id }) => id > before.id).slice(0, AT_ONCE);
      const newestItem = items.at(-1);
      if (newestItem === undefined) {
        if (!isNoted) note(before, null);
        return LOOK_MS;
      }
      const outcome = await receiver.deliver(items);
      if (!outcome.ok) {
        note(before, outcome.reason);
        const waitsMs = waitMs;
        waitMs = Math.min(2 * waitsMs, LONGEST_WAIT_MS);
        return waitsMs;
      }
      waitMs = FIRST_WAIT_MS;
      note(newestItem, null, missing(before, items));
      return items.length < AT_ONCE && next === null ? LOOK_MS : 0;
    },
  };
}

/** Whether the database is another one. `found`: the oldest event from the last delivered one on; without any, ids have started again. */
function isOther(last: Delivered, found: ShownEvent | undefined): boolean {
  if (found === undefined) return last.id > 0;
  return found.id === last.id && last.at !== null && found.at !== last.at;
}
