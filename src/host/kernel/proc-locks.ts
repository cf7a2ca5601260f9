import { readdirSync } from "node:fs";
import { readOr } from "../../core/error.ts";
import { textOrNothing } from "../machine/read-text.ts";

/**
 * A lock on a range of bytes of a file. `pid`: null for a lock of an open file description, which any process with that description
 * may release. `device`: that of the file system, in the form of `lockDevice`.
 */
export type FileLock = Readonly<{
  pid: number | null;
  isExclusive: boolean;
  device: string;
  inode: number;
  first: number;
  last: number;
}>;

/**
 * Locks that processes hold (fcntl(2)), from `/proc/locks` (proc(5)). `1: -> POSIX …` is a process that waits for one. A process
 * of another PID namespace has the number 0, or is missing.
 */
export function parseFileLocks(text: string): readonly FileLock[] {
  return text.split("\n").flatMap((line) => {
    const [, mode, pid, device, inode, first, last] = LINE.exec(line) ?? [];
    if (pid === undefined || device === undefined) return [];
    return [
      {
        pid: pid === "-1" ? null : Number(pid),
        isExclusive: mode === "WRITE",
        device,
        inode: Number(inode),
        first: Number(first),
        last: last === "EOF" ? Number.POSITIVE_INFINITY : Number(last),
      },
    ];
  });
}

const LINE = /^\d+: (?:POSIX|OFDLCK) +\w+ +(READ|WRITE) (-1|[1-9]\d*) ([\da-f]+:[\da-f]+):(\d+) (\d+) (\d+|EOF)$/;

/** Whether the process has an open file description that holds a lock on a file with this inode number (proc_pid_fdinfo(5)). */
export function holdsOpenFileLock(pid: number, inode: number): boolean {
  return readOr(() => readdirSync(`/proc/${pid}/fdinfo`), []).some((fd) =>
    textOrNothing(`/proc/${pid}/fdinfo/${fd}`)
      .split("\n")
      .some((line) => line.startsWith("lock:") && line.includes("OFDLCK") && line.includes(`:${inode} `)),
  );
}

/** How `/proc/locks` shows a device number of stat(2): its major and its minor number, hexadecimal (makedev(3)). */
export function lockDevice(dev: number): string {
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xf_ff00)];
  return [major, minor].map((number) => number.toString(16).padStart(2, "0")).join(":");
}
