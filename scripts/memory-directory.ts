import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** Unit tests need a tenth of this at once; containers have 64 MB by default. */
const ENOUGH_BYTES = 2 * 1024 ** 3;

/**
 * The environment for unit tests: their temporary files are in memory, or they would wait for the disk most of the time, as
 * SQLite flushes each commit. The process's own if it is missing, too small, or if the process runs no
 * program (mount(8), noexec). What a power loss or a full disk does is tested in the lab, on disks.
 */
export function inMemory(): NodeJS.ProcessEnv {
  const directory = memoryDirectory();
  if (directory === null) return process.env;
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return { ...process.env, TMPDIR: directory };
}

function memoryDirectory(): string | null {
  let directory: string | null = null;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ENOUGH_BYTES) return null;
    // A short name: sockets lie below some of its directories.
    directory = mkdtempSync(join(MEMORY, "gi-"));
    // As /tmp: some tests run programs as users without rights.
    chmodSync(directory, 0o1777);
    const probe = join(directory, "probe");
    writeFileSync(probe, "#!/bin/sh\n", { mode: 0o755 });
    if (spawnSync(probe).status === 0) return directory;
  } catch {
    // No such directory, or not for this user.
  }
  if (directory !== null) rmSync(directory, { recursive: true });
  return null;
}
