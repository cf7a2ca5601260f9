import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { linkFile, removeFile, writeFile } from "../../adapters/root-files/files.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { SetUpFailure } from "./failure.ts";
import { startTimeOf } from "./read-processes.ts";

/**
 * Writes who runs in this data directory: `PID STARTTIME SINCE`, the last in milliseconds, by which a start that was
 * repeated in the same process is told from the one before. Throws SetUpFailure while that process lives.
 */
export function takeLock(file: string, data: string): void {
  makeDirectory(dirname(file), 0o755);
  for (;;) {
    // link(2) of a finished file: the lock is never there without its content.
    const own = `${file}.${process.pid}`;
    writeFile(own, `${process.pid} ${startTimeOf(process.pid)} ${Date.now()}\n`, { mode: 0o644, flush: false });
    const taken = linkFile(own, file);
    removeFile(own);
    if (taken) return;
    const found = read(file);
    const holder = holderOf(found);
    if (holder !== null) throw new SetUpFailure(`GhostInbox is already running (pid ${holder}, data ${data}).`);
    if (found !== null) removeStale(file, found, data);
  }
}

/** The pid of the running start; null if none runs. */
export function lockHolder(file: string): number | null {
  return holderOf(read(file));
}

/** Differs from start to start; null if none runs or ran. */
export function lockText(file: string): string | null {
  return read(file);
}

export function releaseLock(file: string): void {
  removeFile(file);
}

/**
 * Only the holder of the removal lock removes it. Otherwise, of two that saw the same dead holder, the slower one would
 * remove the new lock of the faster one.
 */
function removeStale(file: string, found: string, data: string): void {
  const removal = `${file}.after-${createHash("sha256").update(found).digest("hex").slice(0, 16)}`;
  takeLock(removal, data);
  if (read(file) === found) removeFile(file);
  releaseLock(removal);
}

function holderOf(text: string | null): number | null {
  const [pid = "", startTime = ""] = (text ?? "").trim().split(" ");
  return /^\d+$/.test(pid) && startTime !== "" && startTimeOf(Number(pid)) === startTime ? Number(pid) : null;
}

/** Null if there is none. */
function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
