import { printable as printableLine } from "../../core/text.ts";

/** A longer cell overflows its column instead of widening the table. */
const WIDEST = 64;

/** Columns of equal width, two spaces apart; the last column is ragged. */
export function columns(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = (cells[0] ?? []).map((_, i) =>
    Math.max(0, ...cells.map((row) => (row[i] ?? "").length).filter((width) => width <= WIDEST)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Characters in a line of a standard terminal. */
const WIDTH = 80;

/** Wraps words to the screen, each line after `indent`; a longer word overflows. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of oneLine(text).split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines.join("\n");
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
  for (let left = line; ; ) {
    const end = left.length <= width ? -1 : left.lastIndexOf(" ", width);
    // A word that is longer than a line, such as a path, stays whole.
    const at = end > left.length - left.trimStart().length ? end : left.length <= width ? -1 : left.indexOf(" ", width);
    if (at < 0) return [...lines, left].join("\n");
    lines.push(left.slice(0, at).trimEnd());
    left = indent + left.slice(at).trimStart();
  }
}

const LONGEST_LINE = 2_000;

/** Makes text that strangers chose (HELO names, logins) harmless to the terminal. */
export function printable(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

export function oneLine(text: string): string {
  return printableLine(text, LONGEST_LINE);
}

/** 1st, 2nd, 3rd, 4th, 11th, 21st */
export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${suffix}`;
}
