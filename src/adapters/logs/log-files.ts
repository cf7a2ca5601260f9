import { closeSync, createReadStream, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { compose, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { constants, createGunzip } from "node:zlib";
import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { type LogEntry, type LogQuery, matchesQuery, textOfAll } from "../../wire/control/log-query.ts";
import { timeOfLine } from "../../wire/logs/log-time.ts";
import { isRotated } from "../../wire/logs/rotated-log.ts";

/** The log of one component: its current file and the rotated ones, the oldest first. */
export type ComponentLog = Readonly<{ component: string; current: string; elder: readonly string[] }>;

/** A longer line is cut. Lines are only shown, not stored. */
const LONGEST_LINE = 4_096;
const READ_BYTES = 256 * 1024;
/** The directory of the logs that svlogd(8) does not write. */
const MAIL = "mail";
/** Excerpts of mail.log: their lines are also in mail.log. */
const COPIES: ReadonlySet<string> = new Set(["mail.warn", "mail.err"]);

/** Every log below the directory. Throws if the directory cannot be read. */
export function findLogs(directory: string): readonly ComponentLog[] {
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const folder = join(directory, name);
    const files = readdirSync(folder);
    const present =
      name === MAIL ? files.filter((file) => file.endsWith(".log") && !COPIES.has(file)) : files.filter(isCurrent);
    return present
      .map((file) => join(folder, file))
      .filter((path) => lstatSync(path).isFile())
      .map((current) => ({
        component: name === MAIL ? basename(current, ".log") : name,
        current,
        elder: files
          .filter((file) => isRotated(file, basename(current)))
          .toSorted()
          .map((file) => join(folder, file)),
      }));
  });
}

export type LogSearch = Readonly<{
  query: LogQuery;
  /** How many bytes of each file are read. A file that is not named is read to its end. */
  ends?: ReadonlyMap<string, number>;
  /** Called for a part that cannot be read to its end. The search continues after it. */
  damaged: (path: string, why: string) => void;
}>;

/** The matching lines of all logs in order of time. Memory holds a small part of each log. */
export async function* searchLogs(logs: readonly ComponentLog[], search: LogSearch): AsyncGenerator<LogEntry> {
  const streams = logs.map((log) => matching(log, search));
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, next: await stream.next() })));
  for (;;) {
    const first = heads
      .filter(({ next }) => next.done !== true)
      .reduce<(typeof heads)[number] | null>((a, b) => (a === null || timeOf(b.next) < timeOf(a.next) ? b : a), null);
    if (first === null || first.next.done === true) return;
    yield first.next.value;
    first.next = await first.stream.next();
  }
}

/**
 * The latest `limit` lines that match. Recent parts of the logs are searched first: those set aside are read only where
 * the recent ones hold too few.
 */
export async function latestLines(
  logs: readonly ComponentLog[],
  search: LogSearch,
  limit: number,
): Promise<LogEntry[]> {
  const { query } = search;
  // From here on there are only lines of current files.
  const setAside = logs.flatMap(({ elder }) => elder.slice(-1)).map((path) => lstatSync(path, GONE)?.mtimeMs ?? 0);
  const recentFrom = instant(Math.floor(Math.max(0, ...setAside)) + 1);
  if (query.since === null || query.since < recentFrom) {
    const recent = await last({ ...search, query: { ...query, since: recentFrom } });
    if (recent.length === limit) return recent;
  }
  return last(search);

  async function last(one: LogSearch): Promise<LogEntry[]> {
    const latest: LogEntry[] = [];
    for await (const entry of searchLogs(logs, one)) {
      latest.push(entry);
      if (latest.length >= 2 * limit) latest.splice(0, latest.length - limit);
    }
    return latest.slice(-limit);
  }
}

const GONE = { throwIfNoEntry: false } as const;

function timeOf(next: IteratorResult<LogEntry, void>): number {
  return next.done === true ? Number.POSITIVE_INFINITY : next.value.at;
}

async function* matching(
  { component, current, elder }: ComponentLog,
  { query, ends, damaged }: LogSearch,
): AsyncGenerator<LogEntry, void> {
  const text = textOfAll(query);
  for (const path of [...elder, current]) {
    const changed = lstatSync(path, GONE)?.mtimeMs;
    // The file was removed meanwhile, or all of it is older.
    if (changed === undefined || (query.since !== null && changed < query.since)) continue;
    const notAfter = instant(Math.ceil(changed));
    let at: Millis = instant(0);
    try {
      for await (const part of partsOf(path, ends?.get(path))) {
        for (const entry of linesWith(text, { component, part, before: at, notAfter }))
          if (matchesQuery(entry, query)) yield entry;
        at = timeWithin(part, 0, part.length, notAfter) ?? at;
      }
    } catch (error) {
      damaged(path, messageOf(error));
    }
  }
}

type Part = Readonly<{
  component: string;
  part: string;
  /** The time of the last line before it. */
  before: Millis;
  notAfter: Millis;
}>;

/** Lines with this text, or all; each with the time of the last one up to it that tells its time. */
function* linesWith(text: string | null, { component, part, before, notAfter }: Part): Generator<LogEntry> {
  const lower = text === null ? part : part.toLowerCase();
  // With other letters a line may be longer in lower case: then each is looked at.
  const isAligned = lower.length === part.length;
  let [at, told] = [before, 0];
  for (let start = 0; start <= part.length; ) {
    if (text !== null && isAligned) {
      const found = lower.indexOf(text, start);
      if (found < 0) return;
      start = part.lastIndexOf("\n", found - 1) + 1;
    }
    const next = part.indexOf("\n", start);
    const end = next < 0 ? part.length : next;
    const line = part.slice(start, Math.min(end, start + LONGEST_LINE));
    at = timeWithin(part, told, end, notAfter) ?? at;
    yield { component, at, line };
    start = end + 1;
    told = start;
  }
}

/** The time of the last line between two places that tells one. */
function timeWithin(part: string, from: number, to: number, notAfter: Millis): Millis | null {
  for (let end = to; end > from; ) {
    const start = part.lastIndexOf("\n", end - 1) + 1;
    const at = timeOfLine(part.slice(start, Math.min(end, start + LONGEST_LINE)), notAfter);
    if (at !== null) return at;
    end = start - 1;
  }
  return null;
}

/**
 * Its contents, compressed or not, in parts of whole lines without the last line's end. A line that is too long is cut.
 * Throws if the file cannot be read.
 */
async function* partsOf(path: string, end: number | undefined): AsyncGenerator<string> {
  if (end === 0) return;
  const file = createReadStream(path, { highWaterMark: READ_BYTES, ...(end !== undefined && { end: end - 1 }) });
  const isCompressed = path.endsWith(".gz");
  // An error at the end of a truncated file would discard what was read before it. So the end is checked below.
  const unpack = { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: READ_BYTES };
  const stream: Readable = isCompressed ? compose(file, createGunzip(unpack)) : file;
  let bytes = 0;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of stream) {
      const read = Buffer.from(chunk);
      bytes += read.length;
      const text = rest + decoder.write(read);
      const lastEnd = text.lastIndexOf("\n");
      // The rest of a line that is too long is skipped, not collected.
      rest = text.slice(lastEnd + 1).slice(0, LONGEST_LINE);
      if (lastEnd >= 0) yield text.slice(0, lastEnd);
    }
    if (rest !== "") yield rest;
    if (isCompressed && bytes % 2 ** 32 !== sizeSaidBy(path)) throw new Error("unexpected end of file");
  } finally {
    file.destroy();
  }
}

/** How long the contents of a compressed file are, modulo 2^32: its last four bytes (RFC 1952, ISIZE). */
function sizeSaidBy(path: string): number {
  const last = Buffer.alloc(4);
  const file = openSync(path, "r");
  try {
    readSync(file, last, 0, last.length, Math.max(0, fstatSync(file).size - last.length));
  } finally {
    closeSync(file);
  }
  return last.readUInt32LE(0);
}

function isCurrent(file: string): boolean {
  return file === "current";
}
