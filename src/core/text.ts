/** Control, format, surrogate, private and unassigned characters, and the separators that break a line. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Makes text from a stranger safe for a log, a terminal or a table: one line, no escape sequences, no change of text
 * direction, at most `max` UTF-16 units. Unprintable characters are shown as `\x1b` or `\u{202e}`; a cut ends in `…`.
 * Doing it twice changes nothing.
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

/** `1 record`, `2 records`; a word with another plural names it. */
export function plural(n: number, thing: string, things = `${thing}s`): string {
  return `${n} ${n === 1 ? thing : things}`;
}

/** Whole megabytes (of 1,048,576 bytes), rounded up: room that is needed or left. */
export function inMb(bytes: number): number {
  return Math.ceil(bytes / (1 << 20));
}
