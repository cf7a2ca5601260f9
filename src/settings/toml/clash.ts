import { printable } from "../../core/text.ts";
import { pathKey, type Statement } from "./statements.ts";

/** What is written twice, in one sentence; `line` is the second of the two. */
export type Clash = Readonly<{ line: number; says: string }>;

/** The first key or table that a document defines twice, with both lines. A parser names only the second. */
export function findClash(statements: readonly Statement[]): Clash | null {
  const values = new Map<string, Statement>();
  const headers = new Map<string, Statement>();
  /** Tables that dotted keys have made: `a.b.c = 1` makes `a` and `a.b`. */
  const dotted = new Map<string, Statement>();
  for (const one of statements) {
    const key = pathKey(one.path);
    const clash = one.kind === "value" ? valueTwice(one) : one.kind === "table" ? tableTwice(one) : null;
    if (clash !== null) return { line: one.line, says: clash };
    if (one.kind !== "value") {
      headers.set(key, one);
      continue;
    }
    values.set(key, one);
    for (const table of tablesOf(one)) dotted.set(pathKey(table), one);
  }
  return null;

  function valueTwice(one: Statement): string | null {
    const name = shown(one.path);
    const before = values.get(pathKey(one.path));
    if (before !== undefined)
      return `${name} is set twice in ghostinbox.toml, in lines ${before.line} and ${one.line}: keep one of them.`;
    for (const table of [...tablesOf(one), one.path]) {
      const header = headers.get(pathKey(table));
      if (header !== undefined)
        return `Line ${one.line} of ghostinbox.toml sets ${name}, but line ${header.line} has opened [${shown(table)}]: write it below that line.`;
    }
    return null;
  }

  function tableTwice(one: Statement): string | null {
    const name = shown(one.path);
    const before = headers.get(pathKey(one.path));
    if (before !== undefined)
      return `The table [${name}] is opened twice in ghostinbox.toml, in lines ${before.line} and ${one.line}: move its keys below one of them.`;
    const key = dotted.get(pathKey(one.path)) ?? values.get(pathKey(one.path));
    if (key === undefined) return null;
    return `Line ${one.line} of ghostinbox.toml opens [${name}], but line ${key.line} has set ${shown(key.path)} already: write ${name}.NAME = ... in each line instead of the table.`;
  }
}

/** The tables between its header and the key itself, the outermost first. */
function tablesOf({ path, under }: Statement): readonly (readonly string[])[] {
  const from = (under?.path.length ?? 0) + 1;
  return path.slice(from).map((_, i) => path.slice(0, from + i));
}

/** A name is whatever was typed. */
function shown(path: readonly string[]): string {
  return printable(nameOf(path), 80);
}

/** As written in TOML: a quoted name with a dot in it is not a path. */
export function nameOf(path: readonly string[]): string {
  return path.map((name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name))).join(".");
}
