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
    void limitMemory(16, "probe").remove();
    return null;
  } catch (error) {
    return `no cgroup with a limit of memory can be made: ${String(error)}`;
  }
}

/** A cgroup whose processes get this much memory in total, and no swap. If they need more, the kernel kills one. */
export function limitMemory(megabytes: number, name: string) {
  const isFirst = existsSync(join(FIRST, "memory.limit_in_bytes"));
  const files = isFirst ? V1 : V2;
  const parent = isFirst ? join(FIRST, own()) : ROOT;
  if (!isFirst) writeFileSync(join(parent, "cgroup.subtree_control"), "+memory");
  const directory = join(parent, `ghostinbox-${name}-${process.pid}`);
  mkdirSync(directory);
  writeFileSync(join(directory, files.limit), String(megabytes * MB));
  // A kernel without swap has no such file.
  const swap = join(directory, files.swap);
  if (existsSync(swap)) writeFileSync(swap, String(isFirst ? megabytes * MB : 0));
  const read = (file: string): string => readFileSync(join(directory, file), "utf8");
  // ip-netns(8) mounts another /sys for the program, without cgroups.
  const seen = `/proc/${process.pid}/root${directory}`;
  return {
    /** The command prefix that starts a program in it. */
    within: ["sh", "-c", `echo $$ >${seen}/cgroup.procs && exec "$@"`, "sh"],

    /** Processes that the kernel has killed for lack of memory. */
    kills: () => Number(/^oom_kill (\d+)$/m.exec(read(files.kills))?.[1]),

    /** Its current memory, without file pages that the kernel can drop. */
    neededMb: (): number => {
      const parts = read("memory.stat").matchAll(/^(?:in)?active_file (\d+)$/gm);
      const ofFiles = [...parts].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
      return Math.round((Number(read(files.now)) - ofFiles) / MB);
    },

    /** Kills its remaining processes. */
    remove: async (): Promise<void> => {
      await until("the cgroup is empty", () => {
        for (const pid of read("cgroup.procs").split("\n")) if (pid !== "") process.kill(Number(pid), "SIGKILL");
        rmdirSync(directory);
        return true;
      });
    },
  };
}

/** The cgroup of this process, in the hierarchy of the memory controller. */
const own = (): string => /^\d+:memory:(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
