import { escapeUnits, fitted, printable as printableLine, UNPRINTABLE } from "../../../core/text.ts";
import { dayAndTime } from "../../../core/time.ts";

/** A longer cell overflows its column instead of widening the table. */
const WIDEST = 64;

/** Aligns columns, two spaces apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = (cells[0] ?? []).map((_, i) =>
    cells.reduce((most, { [i]: { length } = "" }) => (length > WIDEST ? most : Math.max(most, length)), 0),
  );
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  return cells.map((row) => line(row).trimEnd()).join("\n");
}

const WIDTH = 80;

/** Wraps one line for the screen at spaces, and indents it. */
export function wrapped(text: string, indent: string): string {
  return fitted(indent + oneLine(text), WIDTH, indent);
}

const LONGEST_LINE = 2_000;

/** Makes text of strangers (HELO names, logins) harmless to the terminal. Cuts nothing, because people copy settings and keys. */
export function printable(text: string): string {
  return text.replace(/[^\n]+/g, (line) => printableLine(line, Number.POSITIVE_INFINITY));
}

export function oneLine(text: string): string {
  return printableLine(text, LONGEST_LINE);
}

const FEW = 5;

/** The first five names, and how many more there are. `total`: how many there are, if `names` has only some of them. */
export function firstFew(names: readonly string[], total = names.length): string {
  const more = total - Math.min(names.length, FEW);
  return `${names.slice(0, FEW).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Joins parts; skips those that are empty, null or false. */
export function joined(between: string, parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join(between);
}

/** `2026-11-20 07:05:01 UTC`, of milliseconds since the epoch. */
export function when(at: number): string {
  return dayAndTime(new Date(at).toISOString());
}

export function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${suffix}`;
}

/** Indented JSON in which each item of a list is on one line, so `grep ADDRESS` shows the whole ban or event. */
export function printJson(value: unknown): string {
  return print(value, "");
}

export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value ?? null));
}

/** Escapes characters that would control a terminal, without changing a value. */
function escaped(json: string): string {
  return json.replace(UNPRINTABLE, escapeUnits);
}

function print(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return jsonLine(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((item) => inner + onOneLine(item))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => `${inner}${jsonLine(key)}: ${print(member, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** With spaces, for people. JSON strings contain no raw line breaks, so each line break is layout. */
function onOneLine(item: unknown): string {
  return escaped(JSON.stringify(item ?? null, null, 1).replace(/\n */g, " "));
}
