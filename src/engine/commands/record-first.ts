import type { Outcome } from "../ports.ts";

export type Rehearsal = Readonly<{
  /** Runs the work in the accounts' database and rolls it back as soon as `work` returns. */
  rehearse: <T>(work: () => T) => T;
  /** For a dry run, only the rehearsal. */
  isDry?: true;
}>;

/**
 * Records a change of the accounts' database before making it: if the guard ends in between, no change lacks a
 * record. A rehearsal finds refusals, which are not recorded. `unwritten`: neither the record nor the change was made.
 */
export async function recordFirst<O extends Outcome>(
  { rehearse, isDry }: Rehearsal,
  change: () => O,
  record: (would: O) => Promise<boolean>,
): Promise<O | "unwritten"> {
  const would = rehearse(change);
  if (!would.ok || isDry === true) return would;
  return (await record(would)) ? change() : "unwritten";
}
