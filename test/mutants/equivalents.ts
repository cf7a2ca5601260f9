import { equivalents } from "./equivalent-mutants.ts";
import type { Mutant } from "./mutants.ts";

/** Mutants of one line that change nothing which anybody could notice, as the report prints them, and why not. */
export type Equivalent = Readonly<{ file: string; was: string; is: readonly string[]; why: string }>;

export function isEquivalent(mutant: Mutant, known: readonly Equivalent[] = equivalents): boolean {
  return known.some((one) => isSame(one, mutant));
}

/** What of the entries describes no mutant any more: the code has changed. */
export function outdated(
  mutants: readonly Mutant[],
  known: readonly Equivalent[] = equivalents,
): readonly Equivalent[] {
  return known
    .map((one) => ({
      ...one,
      is: one.is.filter((is) => !mutants.some((mutant) => isSame({ ...one, is: [is] }, mutant))),
    }))
    .filter(({ is }) => is.length > 0);
}

function isSame(one: Equivalent, { file, was, is }: Mutant): boolean {
  return one.file === file && one.was === was && one.is.includes(is);
}
