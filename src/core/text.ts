/** Control, format, surrogate, private and unassigned characters, and the separators that break a line. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Makes text from a stranger safe for a log, a terminal or a table: one line, no escape sequences, no change of text direction, at most
 * `max` UTF-16 units. Unprintable characters are shown as `\x1b` or `\u{202e}`; cut text ends in `…`. Applying it twice changes nothing.
 */
export function printable(text: string, max: number): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  // An escape is longer than its character, so more than `max` units never remain.
  const escaped = text.slice(0, max + 1).replace(UNPRINTABLE, escape);
  if (escaped.length <= max) return escaped;
  return max < 1 ? "" : `${escaped.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Every UTF-16 unit as JSON and JavaScript escape it: `\u00e9`. */
export function escapeUnits(text: string): string {
  return text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Quotes any text as one shell word. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Breaks lines at blanks to at most `width`, if they have any; continuation lines are indented. */
export function fitted(text: string, width: number, indent = "    "): string {
  return text
    .split("\n")
    .map((line) => fittedLine(line, width, indent))
    .join("\n");
}

function fittedLine(line: string, width: number, indent: string): string {
  const lines: string[] = [];
  let left = line;
  while (left.length > width) {
    const end = left.lastIndexOf(" ", width);
    // A word that is longer than a line, such as a path, stays whole.
    const at = end > left.length - left.trimStart().length ? end : left.indexOf(" ", width);
    if (at < 0) break;
    lines.push(left.slice(0, at).trimEnd());
    left = indent + left.slice(at).trimStart();
  }
  return [...lines, left].join("\n");
}

/** `1 record`, `2 records`, `2 entries`, `2 addresses`; `things` is the plural of other words. */
export function plural(n: number, thing: string, things = pluralOf(thing)): string {
  return `${n} ${n === 1 ? thing : things}`;
}

function pluralOf(thing: string): string {
  return thing
    .replace(/(?<=[^aeiou])y$/, "ie")
    .replace(/(?<=s|x)$/, "e")
    .concat("s");
}

/** Undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whole megabytes (of 1,048,576 bytes), rounded up, for space that is needed or left. */
export function inMb(bytes: number): number {
  return Math.ceil(bytes / (1 << 20));
}

const LONGEST_NAME = 100;

/** The known name that needs the fewest edits to become `name`; the first of several. Long names are cut. */
export function nearest(name: string, known: readonly string[]): string {
  const wanted = name.slice(0, LONGEST_NAME);
  let best = { candidate: "", distance: Infinity };
  for (const candidate of known) {
    // An edit changes the length by at most one.
    if (Math.abs(candidate.length - wanted.length) >= best.distance) continue;
    const distance = editDistance(wanted, candidate);
    if (distance < best.distance) best = { candidate, distance };
  }
  return best.candidate;
}

/** `; the nearest is NAME`, or nothing if no known name resembles it. */
export function orNearest(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return editDistance(name.slice(0, LONGEST_NAME), near) <= Math.max(name.length, near.length) / 2
    ? `; the nearest is ${near}`
    : "";
}

/** Levenshtein's distance, where swapping two neighbours is one edit, because people mistype that way. */
export function editDistance(a: string, b: string): number {
  // Many names start alike, and that costs no edit.
  if (a !== "" && a[0] === b[0]) return editDistance(a.slice(1), b.slice(1));
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** Adds a full stop unless the text already ends like a sentence, as a reason from elsewhere may. */
export function asSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
