import type { ShownEvent } from "../../core/events/columns.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { EventFilter, EventPage } from "../../guard/storage-ports.ts";

/** The destination of events. */
export interface EventReceiver {
  /** Returns ok once the receiver has confirmed all of them, as far as its protocol can. Never rejects. */
  deliver(events: readonly ShownEvent[]): Promise<Outcome>;
}

/** The last event that was delivered, and its time, which identifies it; 0 and null: all kept events are sent. */
export type Delivered = Readonly<{ id: number; at: string | null }>;

/** How far the events have been delivered: survives a restart. */
export interface DeliveryRecord {
  /** Null before the first. */
  last(): Delivered | null;
  /** `lost`: events that were removed before this one without having been delivered. */
  note(last: Delivered, said: Readonly<{ trouble: string | null; lost: number }>): void;
}

export type ExporterParts = Readonly<{
  events: (filter: EventFilter) => EventPage;
  receiver: EventReceiver;
  record: DeliveryRecord;
}>;

const AT_ONCE = 200;
const LOOK_MS = SECOND_MS;
const FIRST_WAIT_MS = SECOND_MS;
const LONGEST_WAIT_MS = MINUTE_MS;

/**
 * Follows the committed events by their ids. The position moves only after the receiver has confirmed: after a kill, events are sent
 * again under the same ids. Ids have no gaps, so a missing one was removed, and is counted. If a different event has the id of the
 * last one, this is a different database, or an earlier state of it: all its events are sent.
 */
export class Exporter {
  readonly #parts: ExporterParts;
  #last: Delivered | null = null;
  #waitMs = FIRST_WAIT_MS;
  /** Whether anything was noted since the start, so that a notice of the last run is cleared. */
  #isNoted = false;
  /** Events missing up to this id may have been delivered long ago. */
  #uncountedUntil = 0;

  constructor(parts: ExporterParts) {
    this.#parts = parts;
  }

  /** Runs one step; returns how long to wait before the next, in ms. Throws if the events cannot be read. */
  async step(): Promise<number> {
    const last = (this.#last ??= this.#start());
    // With the last one, to check that it is the same.
    const { items: found, next } = this.#parts.events({
      after: Math.max(0, last.id - 1),
      most: AT_ONCE + 1,
      order: "oldest_first",
    });
    if (isOther(last, found[0])) {
      this.#note(this.#first(), null);
      return 0;
    }
    const items = found.filter(({ id }) => id > last.id).slice(0, AT_ONCE);
    const end = items.at(-1);
    if (end === undefined) {
      if (!this.#isNoted) this.#note(last, null);
      return LOOK_MS;
    }
    const outcome = await this.#parts.receiver.deliver(items);
    if (!outcome.ok) {
      this.#note(last, outcome.reason);
      const waitMs = this.#waitMs;
      this.#waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      return waitMs;
    }
    this.#waitMs = FIRST_WAIT_MS;
    this.#note(end, null, this.#missing(last, items));
    return items.length < AT_ONCE && next === null ? LOOK_MS : 0;
  }

  /** The first run starts with the events from now on. */
  #start(): Delivered {
    const last = this.#parts.record.last();
    if (last === null) return this.#end("newest_first") ?? { id: 0, at: null };
    if (last.id === 0) return this.#first();
    if (last.at === null) this.#uncountedUntil = this.#newest();
    return last;
  }

  /** Before the oldest event that is kept. */
  #first(): Delivered {
    this.#uncountedUntil = this.#newest();
    return { id: (this.#end("oldest_first")?.id ?? 1) - 1, at: null };
  }

  #newest(): number {
    return this.#end("newest_first")?.id ?? 0;
  }

  #end(order: EventFilter["order"]): ShownEvent | undefined {
    return this.#parts.events({ most: 1, order }).items[0];
  }

  #missing(last: Delivered, items: readonly ShownEvent[]): number {
    const from = Math.max(last.id, this.#uncountedUntil);
    const counted = items.filter(({ id }) => id > from).length;
    return Math.max(0, (items.at(-1)?.id ?? 0) - from - counted);
  }

  #note({ id, at }: Delivered, trouble: string | null, lost = 0): void {
    this.#last = { id, at };
    this.#isNoted = trouble === null;
    this.#parts.record.note(this.#last, { trouble, lost });
  }
}

/** `found`: the oldest event from the last one on. Without any, ids have started again. */
function isOther(last: Delivered, found: ShownEvent | undefined): boolean {
  if (found === undefined) return last.id > 0;
  return found.id === last.id && last.at !== null && found.at !== last.at;
}
