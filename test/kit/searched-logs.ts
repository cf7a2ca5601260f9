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
import { LONGEST_LINE } from "../../src/mail/logs/log-index.ts";
import { timeOfLine } from "../../src/mail/logs/log-line.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export const ALL: LogQuery = { grep: null, since: null, network: null, queueId: null, account: null };

/** Logs as the keeper and svlogd(8) leave them, and two ways to search them. */
export class Logs {
  readonly directory = temporaryDirectory();
  readonly mail = join(this.directory, "mail", "mail.log");
  readonly indexer = new LogIndexer();
  readonly #read = new Map<string, readonly Pick<LogEntry, "at" | "line">[]>();

  constructor() {
    for (const folder of ["mail", "guard"]) mkdirSync(join(this.directory, folder));
    writeFileSync(this.mail, "");
  }

  put(path: string, text: string | Buffer, changedMs: number): string {
    const file = join(this.directory, path);
    writeFileSync(file, text);
    utimesSync(file, changedMs / 1_000, changedMs / 1_000);
    return file;
  }

  look(): Promise<void> {
    return this.indexer.look(this.mail, Date.now());
  }

  async find(query: Partial<LogQuery>, limit = 10_000): Promise<readonly LogEntry[]> {
    const damaged = (path: string, why: string): void => assert.fail(`${path}: ${why}`);
    return latestLines(findLogs(this.directory).map(snapshotOf), { query: { ...ALL, ...query }, limit, damaged });
  }

  /** The same search, naively: reads every line of every file and merges the logs from the start. */
  plain(query: Partial<LogQuery>, limit: number): readonly LogEntry[] {
    const streams = findLogs(this.directory).map(({ component, current }) =>
      [...elderParts(current), current].flatMap((path) =>
        this.#linesOf(path)
          .map((line) => ({ component, ...line }))
          .filter((entry) => matchesQuery(entry, { ...ALL, ...query })),
      ),
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
  }

  /** Read once, as long as the file does not change. */
  #linesOf(path: string): readonly Pick<LogEntry, "at" | "line">[] {
    const { mtimeMs, size } = statSync(path);
    const version = `${path} ${size} ${mtimeMs}`;
    const known = this.#read.get(version);
    if (known !== undefined) return known;
    const bytes = path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path);
    let at = instant(0);
    const lines = bytes.toString().replace(/\n$/, "").split("\n");
    const read = lines.map((whole) => {
      const line = whole.slice(0, LONGEST_LINE);
      at = timeOfLine(line, instant(Math.ceil(mtimeMs))) ?? at;
      return { at, line };
    });
    this.#read.set(version, read);
    return read;
  }
}
