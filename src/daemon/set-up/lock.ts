import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SetUpFailure } from "./failure.ts";
import { startTimeOf } from "./processes.ts";

/** Says who runs in this data directory: `PID STARTTIME`. Throws SetUpFailure while that process lives. */
export function takeLock(file: string, data: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  for (;;) {
    // link(2) of a finished file: nobody ever sees one that is there and does not say whose it is.
    const own = `${file}.${process.pid}`;
    writeFileSync(own, `${process.pid} ${startTimeOf(process.pid)}\n`, { mode: 0o644 });
    const taken = isLinked(own, file);
    rmSync(own, { force: true });
    if (taken) return;
    const found = read(file);
    const holder = holderOf(found);
    if (holder !== null) throw new SetUpFailure(`GhostInbox is already running (pid ${holder}, data ${data}).`);
    if (found !== null) removeStale(file, found, data);
  }
}

/** The pid of the running start; null where none runs. */
export function lockHolder(file: string): number | null {
  return holderOf(read(file));
}

export function releaseLock(file: string): void {
  rmSync(file, { force: true });
}

function isLinked(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Only who holds the lock of its removal removes it. Of two who saw the same dead holder, the slower one would else
 * remove what the faster one has put there since.
 */
function removeStale(file: string, found: string, data: string): void {
  const removal = `${file}.after-${createHash("sha256").update(found).digest("hex").slice(0, 16)}`;
  takeLock(removal, data);
  if (read(file) === found) rmSync(file, { force: true });
  releaseLock(removal);
}

function holderOf(text: string | null): number | null {
  const [pid = "", startTime = ""] = (text ?? "").trim().split(" ");
  return /^\d+$/.test(pid) && startTime !== "" && startTimeOf(Number(pid)) === startTime ? Number(pid) : null;
}

/** Null where there is none. */
function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
