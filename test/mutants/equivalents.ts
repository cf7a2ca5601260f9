import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutants.ts";

/** A mutant of one line that no test could notice, as the report prints it, and why. */
type Equivalent = Readonly<{ file: string; was: string; is: string; why: string }>;

/** Reads `equivalent-mutants.txt`: file names, each with indented lines `before «was → is | or is» after // why` below it. */
export function knownEquivalents(): readonly Equivalent[] {
  let file = "";
  const lines = readFileSync(join(import.meta.dirname, "equivalent-mutants.txt"), "utf8").split("\n");
  return lines.flatMap((line) => {
    if (!line.startsWith("  ")) {
      file = line;
      return [];
    }
    const [, before, was, changes = "", after, why = ""] = /^ {2}(.*)«(.*) → (.*)»(.*) \/\/ (.*)$/.exec(line) ?? [];
    if (before === undefined) throw new Error(`This line lists no mutant: ${line}`);
    return changes
      .split(" | ")
      .map((is) => ({ file, was: `${before}${was}${after}`, is: `${before}${is}${after}`, why }));
  });
}

export function isEquivalent(mutant: Mutant, known: readonly Equivalent[]): boolean {
  return known.some((one) => isSame(one, mutant));
}

/** Those that no longer describe a mutant, because the code has changed. */
export function outdated(mutants: readonly Mutant[], known: readonly Equivalent[]): readonly Equivalent[] {
  return known.filter((one) => !mutants.some((mutant) => isSame(one, mutant)));
}

function isSame(one: Equivalent, { file, was, is }: Mutant): boolean {
  return one.file === file && one.was === was && one.is === is;
}
