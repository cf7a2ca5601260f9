import type { Decision } from "../decide/decision.ts";
import type { Counts, EventColumns, Sentence } from "./columns.ts";
import type { EventType } from "./event-types.ts";
import type { Seen } from "./seen.ts";

/**
 * The definition of one kind of decided event. `R` is its record without the columns; it contains everything that
 * a replay needs to decide the event again.
 */
export type DecidedKind<E, R> = Readonly<{
  /** The public name, which says how it ended. */
  name(event: E, decision: Decision): EventType;
  /** The sliding window in which it counts, in memory and in the database. */
  window(event: E): Counts | null;
  account(event: E): string | null;
  columns(event: E): Partial<EventColumns>;
  rest(event: E, seen: Seen | undefined): R;
  /** The text, only from recorded data. */
  sentence(recorded: EventColumns, rest: R): Sentence;
  /** The event for deciding it again; null if another program changed the columns. */
  event(recorded: EventColumns, rest: R): E | null;
}>;
