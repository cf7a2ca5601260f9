import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SetUpFailure } from "./failure.ts";
import { startTimeOf } from "./processes.ts";

/** Says who runs in this data directory: `PID STARTTIME`. Throws SetUpFailure while that process lives. */
export function takeLock(file: string, data: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${startTimeOf(process.pid)}\n`, { flag: "wx", mode: 0o644 });
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = lockHolder(file);
    if (holder !== null) throw new SetUpFailure(`GhostInbox is already running (pid ${holder}, data ${data}).`);
    rmSync(file, { force: true });
  }
}

/** The pid of the running start; null where none runs. */
export function lockHolder(file: string): number | null {
  const [pid = "", startTime = ""] = read(file).trim().split(" ");
  return /^\d+$/.test(pid) && startTime !== "" && startTimeOf(Number(pid)) === startTime ? Number(pid) : null;
}

export function releaseLock(file: string): void {
  rmSync(file, { force: true });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
