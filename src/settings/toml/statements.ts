import { parse } from "smol-toml";
import { readOr } from "../../core/error.ts";
import { printable } from "../../core/text.ts";

/** One statement of a TOML document: a table's header, or a key with its value. */
export type Statement = Readonly<{
  kind: "table" | "list" | "value";
  /** From the root: a value's path starts with that of its table. */
  path: readonly string[];
  /** The header above a value; null at the top. */
  under: Statement | null;
  /** Counted from 1. */
  line: number;
  /** Where its first line starts, and where the line after its last one does. */
  start: number;
  end: number;
  /** Of a value, without the blanks around it. */
  value: Readonly<{ start: number; end: number }>;
}>;

/**
 * The statements in their order (TOML 1.0). A parser gives values without their positions, and nothing at all for a document that sets a
 * key twice. This function continues after such a key, and stops where the text is not valid TOML.
 */
export function statementsOf(text: string): readonly Statement[] {
  const found: Statement[] = [];
  let under: Statement | null = null;
  let line = 1;
  let counted = 0;
  for (let at = past(BLANK_LINES, text, 0); at !== null && at < text.length; ) {
    const read = text[at] === "[" ? readHeader(text, at) : readPair(text, at, under?.path ?? []);
    if (read === null) return found;
    const start = text.lastIndexOf("\n", at - 1) + 1;
    line += text.slice(counted, start).split("\n").length - 1;
    counted = start;
    const statement: Statement = { ...read, under: read.kind === "value" ? under : null, line, start };
    found.push(statement);
    if (statement.kind !== "value") under = statement;
    at = past(BLANK_LINES, text, statement.end);
  }
  return found;
}

/** The line that sets a key, also within an inline table; null if no line does. */
export function linesOfKeys(statements: readonly Statement[]): (path: readonly string[]) => Statement | null {
  const byPath = new Map(statements.filter(({ kind }) => kind === "value").map((one) => [pathKey(one.path), one]));
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const found = byPath.get(pathKey(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return null;
  };
}

/** Equal for equal paths only. */
export function pathKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

type Read = Pick<Statement, "kind" | "path" | "end" | "value">;

function readHeader(text: string, at: number): Read | null {
  const kind = text.startsWith("[[", at) ? "list" : "table";
  const close = kind === "list" ? "]]" : "]";
  const key = readKey(text, at + close.length);
  if (key === null || !text.startsWith(close, key.end)) return null;
  const end = past(LINE_END, text, key.end + close.length);
  return end === null ? null : { kind, path: key.path, end, value: { start: end, end } };
}

function readPair(text: string, at: number, table: readonly string[]): Read | null {
  const key = readKey(text, at);
  if (key === null || text[key.end] !== "=") return null;
  const start = past(BLANKS, text, key.end + 1) ?? text.length;
  const stop = valueEnd(text, start);
  if (stop === null) return null;
  const value = { start, end: start + text.slice(start, stop).trimEnd().length };
  const end = past(LINE_END, text, stop);
  return end === null || value.end === start ? null : { kind: "value", path: [...table, ...key.path], end, value };
}

const BLANKS = /[ \t]*/y;
const BLANK_LINES = /(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:#[^\n]*)?/y;
const LINE_END = /[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/y;
const KEY_PART = /[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*/y;
/** A long string may end with one or two more quotes. */
const VALUE_PART =
  /"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}|"(?!"")(?:[^"\\\n]|\\[^])*"|'(?!'')[^'\n]*'|#[^\n]*|[[\]{}\n]|[^"'#[\]{}\n]+/y;

/** Where a match at this position ends; null if there is none. */
function past(pattern: RegExp, text: string, from: number): number | null {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : null;
}

/** A bare, quoted or dotted key; `end` is past the blanks after it. */
function readKey(text: string, from: number): Readonly<{ path: readonly string[]; end: number }> | null {
  const path: string[] = [];
  for (let at = from; ; at++) {
    KEY_PART.lastIndex = at;
    const raw = KEY_PART.exec(text)?.[1];
    const name = raw === undefined ? null : plainKey(raw);
    if (name === null) return null;
    path.push(name);
    at = KEY_PART.lastIndex;
    if (text[at] !== ".") return { path, end: at };
  }
}

function plainKey(raw: string): string | null {
  if (!/^["']/.test(raw)) return raw;
  return readOr(() => Object.keys(parse(`${raw} = 0`))[0] ?? null, null);
}

/** Where a value ends: before a comment, a line break, or the end; an array may span lines. */
function valueEnd(text: string, from: number): number | null {
  let depth = 0;
  for (let at = from; at < text.length; at = VALUE_PART.lastIndex) {
    VALUE_PART.lastIndex = at;
    const part = VALUE_PART.exec(text)?.[0];
    if (part === undefined) return null;
    if (depth === 0 && /^[#\n]/.test(part)) return at;
    if (part === "[" || part === "{") depth++;
    if (part === "]" || part === "}") depth--;
    if (depth < 0) return null;
  }
  return depth === 0 ? text.length : null;
}

/** The comments inside a value, such as a multi-line list. */
export function commentsIn(value: string): readonly string[] {
  return [...value.matchAll(new RegExp(VALUE_PART, "g"))].map(([part]) => part).filter((part) => part.startsWith("#"));
}

/** A key or table that is set twice, in one sentence; `line` is the second of the two. */
type Clash = Readonly<{ line: number; says: string }>;

/** The first key or table that a document sets twice, with both lines. A parser names only the second. */
export function findClash(statements: readonly Statement[]): Clash | null {
  const lines = new Map<string, number>();
  for (const { kind, path, line } of statements) {
    if (kind === "list") continue;
    const key = kind + pathKey(path);
    const before = lines.get(key);
    if (before !== undefined) {
      // A name may contain any character.
      const name = printable(nameOf(path), 80);
      const [what, next] =
        kind === "table" ? [`The table [${name}]`, "move its settings below one of them"] : [name, "keep one of them"];
      return { line, says: `${what} is set twice in ghostinbox.toml, in lines ${before} and ${line}: ${next}.` };
    }
    lines.set(key, line);
  }
  return null;
}

/** As written in TOML: a quoted name with a dot in it is not a path. */
export function nameOf(path: readonly string[]): string {
  return path.map((name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name))).join(".");
}

/** A table as a parser gives it. */
export type Table = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
