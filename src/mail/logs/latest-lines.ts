import { isAscii } from "node:buffer";
import {
  type LogEntry,
  type LogQuery,
  matchesQuery,
  type SearchTexts,
  textsOf,
} from "../../admin/declare/log-query.ts";
import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import {
  isPacked,
  type LogPieces,
  type LogSnapshot,
  type OpenFile,
  openElder,
  packedPieces,
  plainPieces,
} from "./log-files.ts";
import { keyRange, LONGEST_SEARCHED, LONGEST_SEARCHED_BYTES, readIndex } from "./log-index.ts";
import { timeOfLine } from "./log-line.ts";
import { isWhole, unpack } from "./packed-log.ts";

type LogSearch = Readonly<{
  query: LogQuery;
  limit: number;
  /** Called for a part that cannot be read. The search continues without it. */
  damaged: (path: string, why: string) => void;
}>;

/**
 * The latest lines that match, in order of time; those of one log stay in their order. Each log is read from its end, and
 * only as far as needed; memory holds the lines found and a small part of each log. Closes the logs.
 */
export async function latestLines(logs: readonly LogSnapshot[], search: LogSearch): Promise<LogEntry[]> {
  const heads = logs.map((log): Head => ({ stream: matching(log, search), next: null, at: Number.POSITIVE_INFINITY }));
  try {
    for (const head of heads) await advance(head);
    const latest: LogEntry[] = [];
    while (latest.length < search.limit) {
      const last = latestOf(heads);
      if (last?.next === undefined || last.next === null) break;
      latest.push(last.next);
      if (latest.length < search.limit) await advance(last);
    }
    return latest.toReversed();
  } finally {
    for (const { stream } of heads) await stream.return();
    for (const { current } of logs) current?.[Symbol.dispose]();
  }
}

/** The latest line of a log that was not returned yet, and its time. */
type Head = { stream: AsyncGenerator<LogEntry, void>; next: LogEntry | null; at: number };

function latestOf(heads: readonly Head[]): Head | null {
  const filled = heads.filter(({ next }) => next !== null);
  return filled.reduce<Head | null>((a, b) => (a !== null && a.at > b.at ? a : b), null);
}

/** If no line before it has a time, it is ordered like the line after it. */
async function advance(head: Head): Promise<void> {
  const { done, value } = await head.stream.next();
  head.next = done === true ? null : value;
  if (head.next !== null && head.next.at !== NO_TIME) head.at = head.next.at;
}

async function* matching({ log, current, elder }: LogSnapshot, search: LogSearch): AsyncGenerator<LogEntry, void> {
  if (current !== null) yield* matchingOf(current, log.component, search);
  for (const path of elder) {
    using file = openElder(path);
    if (file !== null) yield* matchingOf(file, log.component, search);
  }
}

/** The latest first. */
async function* matchingOf(file: OpenFile, component: string, search: LogSearch): AsyncGenerator<LogEntry, void> {
  const { query, damaged } = search;
  // All of its lines are older.
  if (query.since !== null && file.mtimeMs < query.since) return;
  /** When the file was changed last. */
  const notAfter = instant(Math.ceil(file.mtimeMs));
  const texts = textsOf(query);
  try {
    const pieces = piecesOf(file, search);
    if (pieces === null) return yield* fromBeginning();
    const timeBefore = timeReader(pieces, notAfter);
    for (const { start, text } of pieces.latestFirst()) yield* entries(text, () => timeBefore(start));
  } catch (error) {
    damaged(file.path, messageOf(error));
  }

  /** A line without a time gets that of the line before it. `timeBefore`: the last time in the lines before this text. */
  function* entries(text: Buffer, timeBefore: () => Millis): Generator<LogEntry, void> {
    /** From here to the current line, no line has another time. */
    let time: LineTime = { from: text.length + 1, at: NO_TIME };
    for (const start of candidates(text, texts)) {
      if (start < time.from) time = lastTimed(text, start, notAfter) ?? { from: 0, at: timeBefore() };
      const entry = { component, at: time.at, line: lineAt(text, start) };
      if (matchesQuery(entry, query)) yield entry;
    }
  }

  /** Keeps only the last entries, because this file cannot be read from its end. */
  async function* fromBeginning(): AsyncGenerator<LogEntry, void> {
    const kept: LogEntry[][] = [];
    let count = 0;
    let latest = NO_TIME;
    try {
      for await (const text of unpack(file.fd)) {
        const before = latest;
        const found = [...entries(text, () => before)];
        if (found.length > 0) kept.push(found);
        count += found.length;
        for (let first = kept[0]; first !== undefined && count - first.length >= search.limit; first = kept[0]) {
          count -= first.length;
          kept.shift();
        }
        latest = lastTimeIn(text, notAfter)?.at ?? latest;
      }
    } catch (error) {
      damaged(file.path, messageOf(error));
    }
    for (const found of kept.toReversed()) yield* found;
  }
}

/** Null for a compressed file without a complete index. */
function piecesOf(file: OpenFile, { query, damaged }: LogSearch): LogPieces | null {
  const { path, fd, sizeBytes, isFinished } = file;
  const range = query.network === null ? null : keyRange(query.network);
  const index = range === null && !isPacked(path) ? null : readIndex(path, fd, isFinished);
  if (!isPacked(path)) return plainPieces(fd, sizeBytes, { range, blocks: index?.blocks ?? [] });
  if (index === null || !isWhole(index, sizeBytes)) return null;
  return packedPieces(fd, { range, blocks: index.blocks }, (why) => damaged(path, why));
}

/** Returns the time of the last line with a time before a piece. Called from the end of the file backwards. */
function timeReader(pieces: LogPieces, notAfter: Millis): (start: number) => Millis {
  let latest = { after: Number.POSITIVE_INFINITY, at: NO_TIME };
  return (start) => {
    if (start <= latest.after) latest = search(start);
    return latest.at;
  };

  function search(start: number): typeof latest {
    for (let piece = pieces.before(start); piece !== null; piece = pieces.before(piece.start)) {
      const found = lastTimeIn(piece.text, notAfter);
      // In a compressed file this sum is too large, so a later search finds the same line again.
      if (found !== null) return { after: piece.start + found.from, at: found.at };
    }
    return { after: -1, at: NO_TIME };
  }
}

type LineTime = Readonly<{ from: number; at: Millis }>;

const NO_TIME: Millis = instant(0);

/** The time of the last line that has one, and where this line starts. */
function lastTimeIn(text: Buffer, notAfter: Millis): LineTime | null {
  return text.length === 0 ? null : lastTimed(text, lineStart(text, text.length - 1), notAfter);
}

function lastTimed(text: Buffer, from: number, notAfter: Millis): LineTime | null {
  for (let start = from; ; start = lineStart(text, start - 1)) {
    const at = timeOfLine(lineAt(text, start), notAfter);
    if (at !== null) return { from: start, at };
    if (start === 0) return null;
  }
}

/** Where the lines with one of the texts start, last one first. */
function* candidates(text: Buffer, texts: SearchTexts | null): Generator<number> {
  if (text.length === 0) return;
  // In lower case a non-ASCII letter may become an ASCII one, so then every line is checked.
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
  for (const searched of texts) {
    for (let found = lower.indexOf(searched); found >= 0; ) {
      if (found < lower.length) starts.add(found === 0 ? 0 : lower.lastIndexOf("\n", found - 1) + 1);
      const end = lower.indexOf("\n", found);
      found = end < 0 ? -1 : lower.indexOf(searched, end + 1);
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
  // A truncated line ends with a complete character.
  return text.toString("utf8", start, Math.min(end, start + LONGEST_SEARCHED_BYTES)).slice(0, LONGEST_SEARCHED);
}
