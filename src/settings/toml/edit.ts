import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { readOr } from "../../core/error.ts";
import { commentsIn, isTable, nameOf, pathKey, type Statement, statementsOf, type Table } from "./statements.ts";

/** The new text; or why a single key cannot be changed in it. */
export type Edited = Readonly<{ ok: true; text: string }> | Readonly<{ ok: false; reason: string }>;

type Path = readonly string[];

/**
 * Sets one key in a valid document and leaves all other text unchanged. A value is replaced where it is written, and the comments inside it
 * move above its line. A new key comes below the comment that shows its default, else below its table's last key, else at the end. Each way
 * is tried and read back: a text is returned only if it parses to the old values and the new one.
 */
export function setKey(text: string, path: Path, value: string): Edited {
  const statements = statementsOf(text);
  const wanted = withKey(parse(text), path, parse(`value = ${value}`)["value"]);
  for (const candidate of candidates(text, statements, path, value))
    if (isSame(parsed(candidate), wanted)) return { ok: true, text: candidate };
  return { ok: false, reason: byHand(statements, path) };
}

/** Removes one key with the comment after it on its line; comments inside its value stay. Returns the same text if the key is not there. */
export function unsetKey(text: string, path: Path): Edited {
  // A table without keys may stay.
  const wanted = withoutEmpty(withKey(parse(text), path, undefined));
  const statements = statementsOf(text);
  const found = valueAt(statements, path);
  const candidate = found === undefined ? text : upTo(text, found) + text.slice(found.end);
  if (isSame(withoutEmpty(parsed(candidate)), wanted)) return { ok: true, text: candidate };
  return { ok: false, reason: byHand(statements, path) };
}

function* candidates(text: string, statements: readonly Statement[], path: Path, value: string): Generator<string> {
  const there = valueAt(statements, path);
  if (there !== undefined) {
    yield text;
    yield upTo(text, there) + text.slice(there.start, there.value.start) + value + text.slice(there.value.end);
  }
  for (const shown of shownDefaults(text, path)) yield insert(text, shown.at, `${shown.name} = ${value}`);
  for (let length = path.length - 1; length >= 0; length--) {
    const table = path.slice(0, length);
    const at = endOfTable(text, statements, table);
    if (at !== null) yield insert(text, at, `${nameOf(path.slice(length))} = ${value}`);
  }
}

/** The text before a statement, and then the comments inside its value. */
function upTo(text: string, { start, value }: Statement): string {
  const comments = commentsIn(text.slice(value.start, value.end)).map((one) => one.trimEnd() + lineEnd(text));
  return text.slice(0, start) + comments.join("");
}

function valueAt(statements: readonly Statement[], path: Path): Statement | undefined {
  return statements.find((one) => one.kind === "value" && pathKey(one.path) === pathKey(path));
}

/** Lines such as `# limits.mail.per_minute = 10`, or with only the end of the name right below its table. */
function* shownDefaults(text: string, path: Path): Generator<Readonly<{ name: string; at: number }>> {
  for (let from = 0; from < path.length; from++) {
    const name = nameOf(path.slice(from));
    const line = new RegExp(`^[ \\t]*#[ \\t]*${RegExp.escape(name)}[ \\t]*=[^\\n]*(?:\\n|$)`, "gm");
    for (const match of text.matchAll(line)) yield { name, at: match.index + match[0].length };
  }
}

/** After the last key right below the header of a table; the empty path is the top. Null without such a header. */
function endOfTable(text: string, statements: readonly Statement[], table: Path): number | null {
  const header = statements.find((one) => one.kind === "table" && pathKey(one.path) === pathKey(table)) ?? null;
  if (header === null && table.length > 0) return null;
  const last = statements.findLast((one) => one.kind === "value" && one.under === header) ?? header;
  if (last !== null) return last.end;
  // Nothing is set at the top: before the first header, or at the end of a file of comments.
  return statements[0]?.start ?? text.length;
}

function insert(text: string, at: number, line: string): string {
  const ends = lineEnd(text);
  const before = text.slice(0, at);
  const open = before === "" || before.endsWith("\n") ? "" : ends;
  return `${before}${open}${line}${ends}${text.slice(at)}`;
}

function lineEnd(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function byHand(statements: readonly Statement[], path: Path): string {
  const holder = statements.find(
    (one) => one.kind === "value" && pathKey(one.path) === pathKey(path.slice(0, one.path.length)),
  );
  const where = holder === undefined ? "" : ` in line ${holder.line}`;
  return `${nameOf(path)} cannot be changed${where} of ghostinbox.toml by a command: edit it there.`;
}

/** The table with this value of the key; without the key if the value is undefined. */
function withKey(table: Table, [name = "", ...rest]: Path, value: unknown): Table {
  const { [name]: before, ...others } = table;
  // A value that is not a table has no key to remove.
  if (rest.length > 0 && value === undefined && !isTable(before)) return table;
  if (rest.length > 0) return { ...others, [name]: withKey(isTable(before) ? before : {}, rest, value) };
  return value === undefined ? others : { ...others, [name]: value };
}

function withoutEmpty(value: unknown): unknown {
  if (!isTable(value)) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, withoutEmpty(member)] as const);
  return Object.fromEntries(entries.filter(([, member]) => !isTable(member) || Object.keys(member).length > 0));
}

/** The parser's tables have no prototype, ours have. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(structuredClone(a), structuredClone(b));
}

function parsed(text: string): unknown {
  return readOr(() => parse(text), null);
}
