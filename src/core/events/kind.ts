import type { Decision } from "../decide/decision.ts";
import type { Counts, EventColumns, Sentence } from "./columns.ts";
import type { EventType } from "./event-types.ts";
import type { Seen } from "./seen.ts";

/**
 * What a kind of decided event says of itself. `R` is what it records besides the columns; it holds whatever a replay
 * needs to decide the event again.
 */
export type DecidedKind<E, R> = Readonly<{
  /** The public name, which tells what became of it. */
  name(event: E, decision: Decision): EventType;
  /** The sliding window that it enters where it counts: the same in memory and in the database. */
  window(event: E): Counts | null;
  account(event: E): string | null;
  columns(event: E): Partial<EventColumns>;
  rest(event: E, seen: Seen | undefined): R;
  /** In words, from what was recorded alone. */
  sentence(recorded: EventColumns, rest: R): Sentence;
  /** As it was when it was decided; null where the columns were changed by another hand. */
  event(recorded: EventColumns, rest: R): E | null;
}>;
