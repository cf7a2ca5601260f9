import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type LogEntry, type LogQuery, matchesQuery } from "../../src/admin/declare/log-query.ts";
import { instant } from "../../src/core/time.ts";
import { LogIndexer } from "../../src/mail/logs/keep-logs.ts";
import { latestLines } from "../../src/mail/logs/latest-lines.ts";
import { findLogs, snapshotOf } from "../../src/mail/logs/log-files.ts";
import { elderParts } from "../../src/mail/logs/log-follower.ts";
import { LONGEST_SEARCHED } from "../../src/mail/logs/log-index.ts";
import { timeOfLine } from "../../src/mail/logs/log-line.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export const ALL: LogQuery = { grep: null, since: null, network: null, queueId: null, account: null };

/** Logs as the keeper and svlogd(8) leave them, and two ways to search them. */
export function searchedLogs() {
  const directory = temporaryDirectory();
  const mail = join(directory, "mail", "mail.log");
  for (const folder of ["mail", "guard"]) mkdirSync(join(directory, folder));
  writeFileSync(mail, "");
  const indexer = new LogIndexer();
  const read = new Map<string, readonly Pick<LogEntry, "at" | "line">[]>();
  /** Reads a file again only if it has changed. */
  const linesOf = (path: string) => {
    const { mtimeMs, size } = statSync(path);
    const version = `${path} ${size} ${mtimeMs}`;
    const known = read.get(version);
    if (known !== undefined) return known;
    const bytes = path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path);
    let at = instant(0);
    const lines = bytes.toString().replace(/\n$/, "").split("\n");
    const found = lines.map((whole) => {
      const line = whole.slice(0, LONGEST_SEARCHED);
      at = timeOfLine(line, instant(Math.ceil(mtimeMs))) ?? at;
      return { at, line };
    });
    read.set(version, found);
    return found;
  };
  return {
    directory,
    mail,
    put: (path: string, text: string | Buffer, changedMs: number): string => {
      const file = join(directory, path);
      writeFileSync(file, text);
      utimesSync(file, changedMs / 1_000, changedMs / 1_000);
      return file;
    },
    look: () => indexer.look(mail, Date.now()),
    find: async (query: Partial<LogQuery>, limit = 10_000): Promise<readonly LogEntry[]> => {
      const damaged = (path: string, why: string): void => assert.fail(`${path}: ${why}`);
      return latestLines(findLogs(directory).map(snapshotOf), { query: { ...ALL, ...query }, limit, damaged });
    },
    /** The same search, naively: reads every line of every file and merges the logs from the start. */
    plain: (query: Partial<LogQuery>, limit: number): readonly LogEntry[] => {
      const streams = findLogs(directory).map(({ component, current }) =>
        [...elderParts(current), current]
          .flatMap((path) => linesOf(path).map((line) => ({ component, ...line })))
          .filter((entry) => matchesQuery(entry, { ...ALL, ...query })),
      );
      const merged: LogEntry[] = [];
      for (;;) {
        const [first] = streams
          .filter(([head]) => head !== undefined)
          .toSorted(([a], [b]) => (a?.at ?? 0) - (b?.at ?? 0));
        const entry = first?.shift();
        if (entry === undefined) return merged.slice(-limit);
        merged.push(entry);
      }
    },
  };
}
