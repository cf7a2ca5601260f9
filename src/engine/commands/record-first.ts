import type { Outcome } from "../ports.ts";

export type Rehearsal = Readonly<{
  /** Does the work on the accounts' database and takes it back as soon as `work` returns. */
  rehearse: <T>(work: () => T) => T;
  /** Of a dry run: the rehearsal is all there is. */
  isDry?: true;
}>;

/**
 * Records a change of the accounts' database before it is made: a guard that ends in the middle leaves no change without a
 * record. A rehearsal finds refusals, which are not recorded. `unwritten`: there is no record, and no change.
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
