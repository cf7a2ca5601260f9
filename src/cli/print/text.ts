import { printable as printableLine } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";

/** A longer cell sticks out of its column instead of moving all others. */
const WIDEST = 64;

/** Columns of equal width, two spaces apart; the last one is ragged. */
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

/** A screen of the usual width. Characters. */
const WIDTH = 80;

/** Words in lines that fit the screen, each after `indent`; a word that is longer sticks out. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of oneLine(text).split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines.join("\n");
}

/** Lines no longer than `width`, broken at blanks where they have some; what follows is indented. */
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

/** Text that strangers chose (HELO names, logins) must not control the terminal. */
export function printable(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

export function oneLine(text: string): string {
  return printableLine(text, LONGEST_LINE);
}

/** `2026-11-20 07:05:01 UTC` */
export function dayAndTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A remaining time, for people: `3 d 4 h`, `2 h 5 min`, `12 min`, `40 s`. */
export function span(durationMs: number): string {
  const s = Math.max(0, Math.ceil(durationMs / SECOND_MS));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  return h < 24 ? parts(h, "h", min % 60, "min") : parts(Math.floor(h / 24), "d", h % 24, "h");
}

function parts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** `until 2026-11-20 07:05:01 UTC (12 min left)` or `for good`. */
export function until(expiresAt: string | null, nowMs: number): string {
  if (expiresAt === null) return "for good";
  return `until ${dayAndTime(expiresAt)} (${span(Date.parse(expiresAt) - nowMs)} left)`;
}

/** 1st, 2nd, 3rd, 4th, 11th, 21st */
export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${suffix}`;
}

/** A network as people write it: a single address without its length. */
export function shown(prefix: string): string {
  return prefix.replace(prefix.includes(":") ? /\/128$/ : /\/32$/, "");
}
