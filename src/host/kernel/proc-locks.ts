/** A lock for writing on a range of bytes of a file. `device`: that of the file system, as `lockDevice` writes it. */
export type WriteLock = Readonly<{ pid: number; device: string; inode: number; first: number; last: number }>;

/**
 * Locks for writing that processes hold (fcntl(2)), from `/proc/locks` (proc(5)). `1: -> POSIX …` is a process that waits
 * for one. A process of another PID namespace has the number 0, or is missing.
 */
export function parseWriteLocks(text: string): readonly WriteLock[] {
  return text.split("\n").flatMap((line) => {
    const [, pid, device, inode, first, last] = LINE.exec(line) ?? [];
    if (pid === undefined || device === undefined) return [];
    return [
      {
        pid: Number(pid),
        device,
        inode: Number(inode),
        first: Number(first),
        last: last === "EOF" ? Number.POSITIVE_INFINITY : Number(last),
      },
    ];
  });
}

const LINE = /^\d+: POSIX +\w+ +WRITE ([1-9]\d*) ([\da-f]+:[\da-f]+):(\d+) (\d+) (\d+|EOF)$/;

/** How the kernel writes a device number of stat(2) there: its major and its minor number, hexadecimal (makedev(3)). */
export function lockDevice(dev: number): string {
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xf_ff00)];
  return [major, minor].map((number) => number.toString(16).padStart(2, "0")).join(":");
}
