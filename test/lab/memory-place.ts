import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";

/** Three times the size of two complete Debians with the rest of a run. */
const ENOUGH_KIB = 6 * 1024 ** 2;

/**
 * A directory for thousands of files that are soon deleted, such as those of a Debian. It is in memory, where the kernel handles
 * them in half the time, or on disk if memory is short.
 */
export function memoryPlace() {
  const directory = mkdtempSync("/var/tmp/gi-place-");
  process.on("exit", remove);
  const argv = ["-t", "tmpfs", "-o", "mode=755,size=50%", "tmpfs", directory];
  let isMounted = availableKib() >= ENOUGH_KIB && spawnSync("mount", argv).status === 0;
  chmodSync(directory, 0o755);

  /** Removes it with its content. */
  function remove(): void {
    process.off("exit", remove);
    // Other tests' new namespaces may hold the mount, but not the files.
    spawnSync("find", [directory, "-xdev", "-mindepth", "1", "-delete"]);
    if (isMounted) spawnSync("umount", ["--lazy", directory]);
    isMounted = false;
    rmSync(directory, { recursive: true, force: true });
  }
  return { directory, remove };
}

/** As proc(5) has it. */
const availableKib = () => Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
