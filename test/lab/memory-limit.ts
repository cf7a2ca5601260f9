import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./wait.ts";

const ROOT = "/sys/fs/cgroup";
const FIRST = join(ROOT, "memory");
const MB = 1024 * 1024;

type Files = Readonly<{ limit: string; swap: string; kills: string; now: string }>;
/** The names of the memory controller's files, by the version of cgroups(7). */
const V1: Files = {
  limit: "memory.limit_in_bytes",
  // Memory and swap together.
  swap: "memory.memsw.limit_in_bytes",
  kills: "memory.oom_control",
  now: "memory.usage_in_bytes",
};
const V2: Files = { limit: "memory.max", swap: "memory.swap.max", kills: "memory.events", now: "memory.current" };

/** Why no limit can be set here; null if one can. */
export function whyNoMemoryLimit(): string | null {
  try {
    void new MemoryLimit(16, "probe").remove();
    return null;
  } catch (error) {
    return `no cgroup with a limit of memory can be made: ${String(error)}`;
  }
}

/** A cgroup whose processes get this much memory in all, and no swap. If they need more, the kernel kills one. */
export class MemoryLimit {
  readonly #directory: string;
  readonly #files: Files;

  constructor(megabytes: number, name: string) {
    const isFirst = existsSync(join(FIRST, "memory.limit_in_bytes"));
    this.#files = isFirst ? V1 : V2;
    const parent = isFirst ? join(FIRST, own()) : ROOT;
    if (!isFirst) writeFileSync(join(parent, "cgroup.subtree_control"), "+memory");
    this.#directory = join(parent, `ghostinbox-${name}-${process.pid}`);
    mkdirSync(this.#directory);
    writeFileSync(join(this.#directory, this.#files.limit), String(megabytes * MB));
    // A kernel without swap has no such file.
    const swap = join(this.#directory, this.#files.swap);
    if (existsSync(swap)) writeFileSync(swap, String(isFirst ? megabytes * MB : 0));
  }

  /** The command prefix that starts a program in it. */
  get within(): readonly string[] {
    // ip-netns(8) mounts another /sys for the program, without cgroups.
    const directory = `/proc/${process.pid}/root${this.#directory}`;
    return ["sh", "-c", `echo $$ >${directory}/cgroup.procs && exec "$@"`, "sh"];
  }

  /** Processes that the kernel has killed for lack of memory. */
  kills(): number {
    return Number(/^oom_kill (\d+)$/m.exec(this.#read(this.#files.kills))?.[1]);
  }

  /** Its current memory, without file pages that the kernel can drop. */
  neededMb(): number {
    const parts = this.#read("memory.stat").matchAll(/^(?:in)?active_file (\d+)$/gm);
    const files = [...parts].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
    return Math.round((Number(this.#read(this.#files.now)) - files) / MB);
  }

  /** Kills its remaining processes. */
  async remove(): Promise<void> {
    await until("the cgroup is empty", () => {
      for (const pid of this.#read("cgroup.procs").split("\n")) if (pid !== "") process.kill(Number(pid), "SIGKILL");
      rmdirSync(this.#directory);
      return true;
    });
  }

  #read(name: string): string {
    return readFileSync(join(this.#directory, name), "utf8");
  }
}

/** The cgroup of this process, in the hierarchy of the memory controller. */
function own(): string {
  return /^\d+:memory:(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
}
