import { closeSync, createReadStream, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { compose, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { constants, createGunzip } from "node:zlib";
import { messageOf } from "../../core/error.ts";
import { instant, type Millis } from "../../core/time.ts";
import { type LogEntry, type LogQuery, matchesQuery } from "../../wire/control/log-query.ts";
import { timeOfLine } from "../../wire/logs/log-time.ts";
import { isRotated } from "../../wire/logs/rotated-log.ts";

/** The log of one component: its current file and the rotated ones, the oldest first. */
export type ComponentLog = Readonly<{ component: string; current: string; elder: readonly string[] }>;

/** A longer line is cut. Lines are only shown, not stored. */
const LONGEST_LINE = 4_096;
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

/** The matching lines of all logs in order of time. Memory holds one line of each log. */
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

function timeOf(next: IteratorResult<LogEntry, void>): number {
  return next.done === true ? Number.POSITIVE_INFINITY : next.value.at;
}

async function* matching(
  { component, current, elder }: ComponentLog,
  { query, ends, damaged }: LogSearch,
): AsyncGenerator<LogEntry, void> {
  for (const path of [...elder, current]) {
    const changed = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    // The file was removed meanwhile, or all of it is older.
    if (changed === undefined || (query.since !== null && changed < query.since)) continue;
    const notAfter = instant(Math.ceil(changed));
    let at: Millis = instant(0);
    try {
      for await (const line of linesOf(path, ends?.get(path))) {
        at = timeOfLine(line, notAfter) ?? at;
        const entry = { component, at, line };
        if (matchesQuery(entry, query)) yield entry;
      }
    } catch (error) {
      damaged(path, messageOf(error));
    }
  }
}

/** Its lines, compressed or not. A line that is too long is cut. Throws if the file cannot be read. */
async function* linesOf(path: string, end: number | undefined): AsyncGenerator<string> {
  if (end === 0) return;
  const file = createReadStream(path, end === undefined ? {} : { end: end - 1 });
  const isCompressed = path.endsWith(".gz");
  // An error at the end of a truncated file would discard what was read before it. So the end is checked below.
  const stream: Readable = isCompressed ? compose(file, createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })) : file;
  let bytes = 0;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of stream) {
      const read = Buffer.from(chunk);
      bytes += read.length;
      const lines = (rest + decoder.write(read)).split("\n");
      // The rest of a line that is too long is skipped, not collected.
      rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
      for (const line of lines) yield line.slice(0, LONGEST_LINE);
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
