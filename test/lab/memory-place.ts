import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";

/** Three times the size of two complete Debians with the rest of a run. */
const ENOUGH_KIB = 6 * 1024 ** 2;

/**
 * A directory for thousands of files that are soon deleted, such as a Debian: in memory, where the kernel takes half as long for
 * them as on a disk. On disk if memory is short.
 */
export class MemoryPlace {
  readonly directory: string;
  readonly #atExit = () => this.remove();
  #isMounted = false;

  constructor() {
    this.directory = mkdtempSync("/var/tmp/gi-place-");
    process.on("exit", this.#atExit);
    if (availableKib() >= ENOUGH_KIB) {
      const argv = ["-t", "tmpfs", "-o", "mode=755,size=50%", "tmpfs", this.directory];
      this.#isMounted = spawnSync("mount", argv).status === 0;
    }
    chmodSync(this.directory, 0o755);
  }

  /** Removes it with its content. */
  remove(): void {
    process.off("exit", this.#atExit);
    // Other tests' new namespaces may hold the mount, but not the files.
    spawnSync("find", [this.directory, "-xdev", "-mindepth", "1", "-delete"]);
    if (this.#isMounted) spawnSync("umount", ["--lazy", this.directory]);
    this.#isMounted = false;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** As proc(5) has it. */
function availableKib(): number {
  return Number(/^MemAvailable: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
}
