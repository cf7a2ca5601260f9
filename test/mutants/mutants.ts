import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Mutation, mutationsOf } from "./rules.ts";

/** A mutation of one file, with the lines that it changes. */
export type Mutant = Mutation & Readonly<{ file: string; line: number; was: string; is: string }>;

export function mutantsOf(file: string, source: string): readonly Mutant[] {
  return mutationsOf(source).map((mutation) => {
    const from = source.lastIndexOf("\n", mutation.start - 1) + 1;
    const end = source.indexOf("\n", mutation.end);
    const to = end < 0 ? source.length : end;
    return {
      ...mutation,
      file,
      line: source.slice(0, from).split("\n").length,
      was: oneLine(source.slice(from, to)),
      is: oneLine(source.slice(from, mutation.start) + mutation.text + source.slice(mutation.end, to)),
    };
  });
}

export function mutantsIn(root: string, files: readonly string[]): readonly Mutant[] {
  return files.flatMap((file) => mutantsOf(file, readFileSync(join(root, file), "utf8")));
}

export function applyTo(source: string, { start, end, text }: Mutation): string {
  return source.slice(0, start) + text + source.slice(end);
}

/** Returns the text as one line of a diff, whatever its line breaks. */
function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
