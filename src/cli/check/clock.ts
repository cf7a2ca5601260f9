import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { span } from "../../core/shown.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { type Finding, ok, unknown, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

/** The newest file that the server has written. */
export type Newest = Readonly<{ path: string; at: number }>;

/** Reports files from the future, which mean that the clock was set back. A server that logs has written within minutes. */
export function judgeFiles(newest: Newest | null, now: number): Finding {
  if (newest === null) return unknown("The server has written no file yet.");
  const fix = "timedatectl  # or chronyc tracking: shows where the machine gets its time from";
  const ahead = newest.at - now;
  if (ahead > MINUTE_MS)
    return wrong(`${newest.path} was written ${span(ahead)} in the future: the clock was set back.`, fix);
  return ok(`The newest file of the server (${newest.path}) is ${span(-ahead)} old, so none is from the future.`);
}

/** `said`: NTPSynchronized of timedatectl(1); empty if it cannot be asked. */
export function judgeSynchronized(said: string): Finding {
  if (said === "yes") return ok("A time server keeps the machine's clock.");
  if (said === "no") return warning("No time server keeps the machine's clock.", "timedatectl set-ntp true");
  return unknown("Whether a time server keeps the clock is unknown here; the host may do it.", "timedatectl");
}

function newestFile(data: string): Newest | null {
  const files = globSync(["log/**/*", "db/*/*", "run/*.pid"], { cwd: data }).map((name) => join(data, name));
  return files.reduce<Newest | null>((newest, path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return newest;
    const at = stat.mtimeMs;
    return newest === null || at > newest.at ? { path, at } : newest;
  }, null);
}

export const clock = [
  {
    name: "files",
    does: "Compares the clock with the newest file that the server has written.",
    look: ({ layout, now }) => judgeFiles(newestFile(layout.data), now),
  },
  {
    name: "synchronized",
    does: "Asks the system whether a time server keeps the clock.",
    look: async ({ machine }) => {
      const ran = await machine.run("timedatectl", ["show", "-p", "NTPSynchronized", "--value"], { timeoutMs: 5_000 });
      return judgeSynchronized(ran.code === 0 ? ran.stdout.trim() : "");
    },
  },
] as const satisfies readonly Check[];
