import { isAscii } from "node:buffer";
import { instant, type Millis } from "../../core/time.ts";
import type { SearchTexts } from "../../wire/control/log-query.ts";
import { timeOfLine } from "../../wire/logs/log-time.ts";
import { LONGEST_LINE } from "./log-index.ts";

/** A line and its time; a line without a time has that of the line before it. */
export type TimedLine = Readonly<{ at: Millis; line: string }>;

export type LineTime = Readonly<{ from: number; at: Millis }>;

export type LinesWanted = Readonly<{
  texts: SearchTexts | null;
  /** When the file was changed last. */
  notAfter: Millis;
  /** The time of the last line before this text that has one. */
  timeBefore: () => Millis;
}>;

export const NO_TIME: Millis = instant(0);

/** The lines that may match, newest first. */
export function* linesOf(text: Buffer, { texts, notAfter, timeBefore }: LinesWanted): Generator<TimedLine> {
  /** From here to the current line, no line has another time. */
  let time: LineTime = { from: text.length + 1, at: NO_TIME };
  for (const start of candidates(text, texts)) {
    if (start < time.from) time = lastTimed(text, start, notAfter) ?? { from: 0, at: timeBefore() };
    yield { at: time.at, line: lineAt(text, start) };
  }
}

/** The time of the last line that has one, and where this line starts. */
export function lastTimeIn(text: Buffer, notAfter: Millis): LineTime | null {
  return text.length === 0 ? null : lastTimed(text, lineStart(text, text.length - 1), notAfter);
}

function lastTimed(text: Buffer, from: number, notAfter: Millis): LineTime | null {
  for (let start = from; ; start = lineStart(text, start - 1)) {
    const at = timeOfLine(lineAt(text, start), notAfter);
    if (at !== null) return { from: start, at };
    if (start === 0) return null;
  }
}

/** Where the lines with one of the texts start, the last one first. */
function* candidates(text: Buffer, texts: SearchTexts | null): Generator<number> {
  if (text.length === 0) return;
  // A letter beyond ASCII may become one of ASCII in lower case: then every line is checked.
  if (texts !== null && (texts.inBytes || isAscii(text))) return yield* linesWith(text, texts.texts);
  for (let start = lineStart(text, text.length - 1); ; start = lineStart(text, start - 1)) {
    yield start;
    if (start === 0) return;
  }
}

/** Lowercasing one-byte letters keeps their offsets. */
function linesWith(text: Buffer, texts: readonly string[]): readonly number[] {
  const lower = text.toString("latin1").toLowerCase();
  const starts = new Set<number>();
  for (const wanted of texts) {
    for (let found = lower.indexOf(wanted); found >= 0; ) {
      if (found < lower.length) starts.add(found === 0 ? 0 : lower.lastIndexOf("\n", found - 1) + 1);
      const end = lower.indexOf("\n", found);
      found = end < 0 ? -1 : lower.indexOf(wanted, end + 1);
    }
  }
  return [...starts].sort((a, b) => b - a);
}

/** The start of the line that contains this offset; a line includes its line end. */
function lineStart(text: Buffer, place: number): number {
  return place <= 0 ? 0 : text.lastIndexOf(0x0a, place - 1) + 1;
}

function lineAt(text: Buffer, start: number): string {
  const found = text.indexOf(0x0a, start);
  const end = found < 0 ? text.length : found;
  // A letter has at most four bytes; a cut line ends with a whole one.
  return text.toString("utf8", start, Math.min(end, start + 4 * LONGEST_LINE)).slice(0, LONGEST_LINE);
}
