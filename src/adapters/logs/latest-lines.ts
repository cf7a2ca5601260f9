import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { type LogEntry, type LogQuery, matchesQuery, textsOf } from "../../wire/control/log-query.ts";
import { keyRange } from "../../wire/logs/address-keys.ts";
import { lastTimeIn, linesOf, NO_TIME } from "./log-entries.ts";
import { closeFile, isPacked, type OpenFile, type OpenLog, openElder } from "./log-files.ts";
import { readIndex } from "./log-index.ts";
import { type LogPieces, packedPieces, plainPieces } from "./log-pieces.ts";
import { isWhole, unpack } from "./packed-log.ts";

export type LogSearch = Readonly<{
  query: LogQuery;
  limit: number;
  /** Called for a part that cannot be read. The search continues without it. */
  damaged: (path: string, why: string) => void;
}>;

/**
 * The latest lines that match, in order of time; those of one log stay in their order. Each log is read from its end, and
 * only as far as needed; memory holds the lines found and a small part of each log. Closes the logs.
 */
export async function latestLines(logs: readonly OpenLog[], search: LogSearch): Promise<LogEntry[]> {
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
    for (const { current } of logs) if (current !== null) closeFile(current);
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

async function* matching({ log, current, elder }: OpenLog, search: LogSearch): AsyncGenerator<LogEntry, void> {
  const { component } = log;
  if (current !== null) yield* matchingOf(current, { component, search });
  for (const path of elder) {
    const file = openElder(path);
    if (file === null) continue;
    try {
      yield* matchingOf(file, { component, search });
    } finally {
      closeFile(file);
    }
  }
}

type Matching = Readonly<{ component: string; search: LogSearch }>;

/** The latest first. */
async function* matchingOf(file: OpenFile, { component, search }: Matching): AsyncGenerator<LogEntry, void> {
  const { query, damaged } = search;
  // The rest is older.
  if (query.since !== null && file.mtimeMs < query.since) return;
  const notAfter = instant(Math.ceil(file.mtimeMs));
  const texts = textsOf(query);
  try {
    const pieces = piecesOf(file, search);
    if (pieces === null) return yield* fromBeginning();
    const timeBefore = timeTeller(pieces, notAfter);
    for (const { start, text } of pieces.latestFirst()) yield* entries(text, () => timeBefore(start));
  } catch (error) {
    damaged(file.path, messageOf(error));
  }

  function* entries(text: Buffer, timeBefore: () => Millis): Generator<LogEntry, void> {
    for (const { at, line } of linesOf(text, { texts, notAfter, timeBefore })) {
      const entry = { component, at, line };
      if (matchesQuery(entry, query)) yield entry;
    }
  }

  /** Keeps the last ones: this file cannot be read from its end. */
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

/** Null: a compressed file without its index. */
function piecesOf(file: OpenFile, { query, damaged }: LogSearch): LogPieces | null {
  const { path, fd, sizeBytes, isFinished } = file;
  const range = query.network === null ? null : keyRange(query.network);
  const index = range === null && !isPacked(path) ? null : readIndex(path, fd, isFinished);
  if (!isPacked(path)) return plainPieces(fd, sizeBytes, { range, blocks: index?.blocks ?? [] });
  if (index === null || !isWhole(index, sizeBytes)) return null;
  return packedPieces(fd, { range, blocks: index.blocks }, (why) => damaged(path, why));
}

/** Returns the time of the last line with a time before a piece. Called from the end of the file backwards. */
function timeTeller(pieces: LogPieces, notAfter: Millis): (start: number) => Millis {
  let latest = { after: Number.POSITIVE_INFINITY, at: NO_TIME };
  return (start) => {
    if (start <= latest.after) latest = search(start);
    return latest.at;
  };

  function search(start: number): typeof latest {
    for (let piece = pieces.before(start); piece !== null; piece = pieces.before(piece.start)) {
      const found = lastTimeIn(piece.text, notAfter);
      // In a compressed file this reaches too far back, and the same line is found again.
      if (found !== null) return { after: piece.start + found.from, at: found.at };
    }
    return { after: -1, at: NO_TIME };
  }
}
