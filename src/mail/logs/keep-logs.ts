import { existsSync, readdirSync, readSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";
import { DAY_MS, later, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId } from "../../host/machine/system-users.ts";
import { compressFile } from "../../host/root-files/copies.ts";
import {
  appendFile,
  createFile,
  moveFile,
  removeFile,
  setAccess,
  truncateFile,
  writeFile,
} from "../../host/root-files/files.ts";
import type { Access } from "../../host/root-files/replace.ts";
import { allPids, writtenFiles } from "../../host/running/read-processes.ts";
import { pidOf } from "../../host/running/supervise.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { MB } from "../../settings/setting.ts";
import { elderParts, rotatedAt, rotatedName } from "./log-follower.ts";
import {
  BLOCK_BYTES,
  blockOf,
  cutBlocks,
  encodeIndex,
  endOf,
  type IndexedBlock,
  indexName,
  LONGEST_BLOCK_BYTES,
  MOST_INDEX_BYTES,
  openIfThere,
  readIndex,
} from "./log-index.ts";
import { packLog } from "./packed-log.ts";
import { createLogSplitter, makeLike } from "./split-log.ts";

export type LogSettings = Pick<Settings, "logs.max_size" | "logs.max_age" | "logs.keep">;

type LogKeeperParts = Readonly<{
  layout: Layout;
  clock: Clock;
  settings: () => LogSettings;
  /** Lets the writers of mail.log reopen it. Null, or why one of them did not. */
  reopen: () => Promise<string | null>;
  /** The owner and mode of mail.log. */
  access: Access;
  say: (what: string) => void;
}>;

/** Rotated logs stay uncompressed this long for a guard that was down, unless a flood fills half of `logs.keep`. */
const COMPRESS_AFTER_MS = DAY_MS;

/** The defaults: used if the settings cannot be read. */
export const USUAL_LOG_SETTINGS: LogSettings = { "logs.max_size": 50 * MB, "logs.max_age": DAY_MS, "logs.keep": 14 };

/** Lets the guard read mail.log; Postfix would let only root read a log that it creates. */
export function mailLogAccess(): Access {
  return { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.logsGroup) } };
}

/** Creates mail.log, or restores its owner and mode. Returns whether it was missing. */
export function giveMailLog(file: string, access: Access): boolean {
  if (createFile(file, access)) return true;
  setAccess(file, access);
  return false;
}

/** Rotates mail.log, mail.warn and mail.err when they are large or old, and keeps the latest of each, compressed. */
export function createLogKeeper({ layout, clock, settings, reopen, access, say }: LogKeeperParts) {
  const { mailLog, mailWarn, mailErr } = layout;
  const splitter = createLogSplitter(layout, say);
  const indexer = new LogIndexer();
  let isSplitting = false;
  // A keeper killed between the two steps of a rotation left the writers with the old file.
  let reopenDue = isOldPartOpen(mailLog);

  const isDue = (file: string, now: Millis): boolean => {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || stat.size === 0) return false;
    // On a file system without creation times, logs rotate only by size.
    const { "logs.max_size": maxBytes, "logs.max_age": maxAgeMs } = settings();
    return stat.size >= maxBytes || (stat.birthtimeMs > 0 && now - stat.birthtimeMs >= maxAgeMs);
  };

  /** A file is only renamed, so that programs that have it open still write where a follower reads. */
  const rotate = (file: string): boolean => {
    if (isDue(file, clock.now())) moveFile(file, nextName(file, clock.now()));
    if (existsSync(file)) return false;
    // Also creates a file that was renamed while the disk could not take a new one.
    const newest = existsSync(dirname(file)) ? elderParts(file).at(-1) : undefined;
    if (newest === undefined) return false;
    makeLike(newest, file);
    return true;
  };

  const tidy = async (file: string): Promise<void> => {
    try {
      await compressElder(file);
    } finally {
      removeSurplus(file);
    }
  };

  const compressElder = async (file: string): Promise<void> => {
    const due = clock.now() - COMPRESS_AFTER_MS;
    for (const [nth, path] of elderParts(file).toReversed().entries()) {
      // The newest is not compressed, because a follower may still be reading it.
      if (nth === 0 || path.endsWith(".gz")) continue;
      if (nth <= settings()["logs.keep"] / 2 && statSync(path).mtimeMs >= due) continue;
      await compressFile(
        path,
        packLog((blocks) => {
          // The index is written before the file gets this name, so that the file is never without it.
          if (file === mailLog && blocks !== null) writeIndex(`${path}.gz`, blocks);
        }),
      );
    }
  };

  /** A flood rotates logs early, so files beyond `logs.keep` stay within the age and size that `logs.keep` files usually have. */
  const removeSurplus = (file: string): void => {
    const { "logs.max_size": maxBytes, "logs.max_age": maxAgeMs, "logs.keep": keep } = settings();
    let bytes = 0;
    for (const [nth, path] of elderParts(file).toReversed().entries()) {
      const { size, mtimeMs } = statSync(path);
      bytes += size + (statSync(indexName(path), { throwIfNoEntry: false })?.size ?? 0);
      if (nth >= keep && (bytes > keep * maxBytes || clock.now() - mtimeMs > keep * maxAgeMs)) removeFile(path);
    }
  };

  return {
    stop: splitter.stop,
    /** Wait for one call before the next. Throws the first failure after trying all: on a full disk, removing old logs may free space. */
    async look(): Promise<void> {
      const failures: string[] = [];
      const attempt = async (work: () => unknown): Promise<void> => {
        try {
          await work();
        } catch (error) {
          failures.push(messageOf(error));
        }
      };
      for (const part of [mailWarn, mailErr]) await attempt(() => rotate(part));
      await attempt(() => {
        if (rotate(mailLog) || giveMailLog(mailLog, access)) reopenDue = true;
      });
      if (reopenDue) {
        const failed = await reopen();
        reopenDue = failed !== null && isOldPartOpen(mailLog);
        if (reopenDue) say(`not every program writes to the new log yet: ${failed}`);
      }
      for (const file of [mailLog, mailWarn, mailErr]) await attempt(() => tidy(file));
      await attempt(() => indexer.look(mailLog, clock.now()));
      if (!isSplitting)
        await attempt(() => {
          splitter.start();
          isSplitting = true;
        });
      if (failures[0] !== undefined) throw new Error(failures[0]);
    },
  };
}

/** Makes postlogd(8) and Dovecot's log process reopen mail.log. A service that is not running has no open file. */
export async function reopenMailLog(layout: Layout): Promise<string | null> {
  const commands = [
    ["postfix", ["postfix", "-c", layout.postfixConf, "reload"]],
    ["dovecot", ["doveadm", "-c", layout.dovecotConf, "log", "reopen"]],
  ] as const;
  // In parallel, because a follower switches to the new file once it has lines and the previous one is silent.
  const failures = await Promise.all(
    commands.map(async ([service, [program, ...args]]) => {
      if (pidOf(layout.services, service) === null) return null;
      const ran = await runProgram(program, args);
      return ran.code === 0 ? null : `${service}: ${lastLines(ran)}`;
    }),
  );
  return failures.find((failed) => failed !== null) ?? null;
}

/** Returns a name that sorts after every part of the log, even one that was named while the clock was ahead. */
function nextName(file: string, now: Millis): string {
  const newest = rotatedAt(elderParts(file).at(-1) ?? "");
  return rotatedName(file, newest === null || newest < now - SECOND_MS ? now : later(newest, SECOND_MS));
}

/** Whether a process has a rotated part of the log, or a removed one, open for writing: /proc shows a file's current name (proc(5)). */
function isOldPartOpen(file: string): boolean {
  const parts = new Set([...(existsSync(dirname(file)) ? elderParts(file) : []), `${file} (deleted)`]);
  return allPids().some((pid) => pid !== process.pid && writtenFiles(pid).some((path) => parts.has(path)));
}

/** Only root searches the logs. */
const MODE = 0o600;
/** Programs that share a log do not switch to a new one at the same moment. */
const SILENT_MS = 10 * SECOND_MS;

/** Keeps the index of mail.log and of its rotated files, with which `ghostinbox logs --ip` finds an address. */
export class LogIndexer {
  readonly #seen = new Map<string, Stats>();

  async look(current: string, now: number): Promise<void> {
    const elder = elderParts(current);
    for (const path of elder.filter((name) => !name.endsWith(".gz"))) await this.#index(path, true, now);
    await this.#index(current, false, now);
    removeOrphans(current);
    for (const path of this.#seen.keys()) if (path !== current && !elder.includes(path)) this.#seen.delete(path);
  }

  async #index(path: string, isFinished: boolean, now: number): Promise<void> {
    using file = openIfThere(path);
    if (file === null) return;
    const { fd, stat } = file;
    const seen = this.#seen.get(path);
    const isSame = seen?.ino === stat.ino && existsSync(indexName(path));
    const moreBytes = stat.size - (seen?.size ?? 0);
    const hasNewBlock = moreBytes < 0 || moreBytes >= BLOCK_BYTES;
    if (isSame && (isFinished ? seen.mtimeMs === stat.mtimeMs : !hasNewBlock)) return;
    if (isFinished && Math.abs(now - stat.mtimeMs) < SILENT_MS) return;
    await indexLog(path, fd, isFinished);
    this.#seen.set(path, stat);
  }
}

/** Continues a log's index, or creates it if it is missing or does not match the contents. */
async function indexLog(path: string, fd: number, isFinished: boolean): Promise<void> {
  const index = indexName(path);
  const known = readIndex(path, fd, isFinished);
  if (known === null) writeFile(index, encodeIndex([], "whole"), { mode: MODE, flush: false });
  else truncateFile(index, known.bytes);
  const last = known?.blocks.at(-1);
  let [from, bytes] = [last === undefined ? 0 : endOf(last), known?.bytes ?? 0];
  const buffer = Buffer.allocUnsafe(LONGEST_BLOCK_BYTES);
  while (bytes < MOST_INDEX_BYTES) {
    const text = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from));
    const [blocks] = cutBlocks(text, isFinished && text.length < buffer.length);
    // Nothing more, or a line that is too long.
    if (blocks.length === 0) return;
    const found: IndexedBlock[] = [];
    for (const block of blocks) {
      found.push(blockOf(block, from));
      from += block.length;
      // Lets the keeper do other work.
      await turn();
    }
    const encoded = encodeIndex(found, "continued");
    appendFile(index, encoded);
    bytes += encoded.length;
  }
}

export function writeIndex(log: string, blocks: readonly IndexedBlock[]): void {
  writeFile(indexName(log), encodeIndex(blocks, "whole"), { mode: MODE });
}

/** Removes each index whose log is gone. */
function removeOrphans(current: string): void {
  const folder = dirname(current);
  const files = readdirSync(folder).filter((file) => file.startsWith(basename(current)));
  const expected = new Set(files.map(indexName));
  for (const file of files) if (file.endsWith(indexName("")) && !expected.has(file)) removeFile(join(folder, file));
}
