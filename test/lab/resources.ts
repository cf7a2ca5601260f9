import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Layout } from "../../src/settings/layout.ts";

/** Resources of a process. */
export type Resources = Readonly<{ memoryKb: number; handles: number }>;

/** Counts only private memory, because pages of the program come and go. */
export function resourcesOf(pid: number): Resources {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const memoryKb = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { memoryKb, handles: readdirSync(`/proc/${pid}/fd`).length };
}

/** Every file and directory of the server, except for mail, logs and files that come and go with each request. */
export function filesOf(layout: Layout): readonly string[] {
  // Copies of the databases and records of scheduled tasks appear on a timer.
  const { data, mail, postfixQueue, log, run, engineDb, accountsDb, checkRecord, retentionRecord } = layout;
  const timed = [`${engineDb}.digest`, `${accountsDb}.copy`, checkRecord, retentionRecord, layout.retentionFolders];
  const reports = [layout.diskDays, layout.reportsMailed];
  const passing = [mail, postfixQueue, log, run, ...timed, ...reports];
  const below = (directory: string): readonly string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (passing.includes(path)) return [];
      return [relative(data, path), ...(entry.isDirectory() ? below(path) : [])];
    });
  return below(data).toSorted();
}
