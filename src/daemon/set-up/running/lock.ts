import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { removeFile, writeFile } from "../../../adapters/root-files/files.ts";
import { makeDirectory } from "../../../adapters/root-files/trees.ts";
import { SetUpFailure } from "../failure.ts";
import { startTimeOf } from "./read-processes.ts";

/**
 * Records who runs in this data directory: `PID STARTTIME SINCE`, the last in milliseconds, which distinguishes a
 * repeated start in the same process from the one before. Throws SetUpFailure while that process lives.
 */
export function takeLock(file: string, data: string): void {
  makeDirectory(dirname(file), 0o755);
  const directory = openSync(dirname(file), "r");
  try {
    // One at a time, until the descriptor is closed: otherwise two that find the same dead holder would both replace it.
    execFileSync("flock", ["3"], { stdio: ["ignore", "ignore", "pipe", directory] });
    const holder = lockHolder(file);
    if (holder !== null) throw new SetUpFailure(`GhostInbox is already running (pid ${holder}, data ${data}).`);
    writeFile(file, `${process.pid} ${startTimeOf(process.pid)} ${Date.now()}\n`, { mode: 0o644, flush: false });
  } finally {
    closeSync(directory);
  }
}

/** The pid of the running start; null if none runs. */
export function lockHolder(file: string): number | null {
  const [pid = "", startTime = ""] = (lockText(file) ?? "").trim().split(" ");
  return /^\d+$/.test(pid) && startTime !== "" && startTimeOf(Number(pid)) === startTime ? Number(pid) : null;
}

/** Differs from start to start; null if none runs or ran. */
export function lockText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

export function releaseLock(file: string): void {
  removeFile(file);
}
