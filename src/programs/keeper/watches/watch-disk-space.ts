import { statfsSync } from "node:fs";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { formatBytes, growthOf } from "../../../core/report/figures.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, isoTime } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { diskFigures, noteDiskDay } from "../../../jobs/report/records.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";

/** The result of statfs(2). */
type Space = Readonly<{ bavail: number; blocks: number; bsize: number }>;

/** The second alert is sent at this share of the first threshold. */
const SECOND = 0.5;

/** Records the disk's use each day, and reports a filling disk while weeks are left. The guard watches the last megabytes. */
export function createDiskSpaceWatch(
  layout: Layout,
  clock: Clock,
  settings: () => Pick<Settings, "alerts.thresholds.disk"> | null,
  space: (path: string) => Space = (path) => statfsSync(path),
) {
  let found: readonly KeeperTrouble[] = [];

  /** Throws if the day cannot be recorded. */
  function look(): void {
    found = shortage();
    // A day that is noted with a wrong clock would remove those after it.
    if (!clock.jump?.()) noteDiskDay(layout, clock.now());
  }

  function shortage(): readonly KeeperTrouble[] {
    const percent = settings()?.["alerts.thresholds.disk"] ?? 0;
    const { data, mail } = layout;
    // Mail may have a separate disk.
    const [fullest] = [data, mail]
      .map((path) => ({ path, ...space(path) }))
      .toSorted((a, b) => a.bavail / a.blocks - b.bavail / b.blocks);
    if (percent === 0 || fullest === undefined || fullest.blocks === 0) return [];
    const left = (100 * fullest.bavail) / fullest.blocks;
    if (left > percent) return [];
    const free = `${Math.floor(left)} % (${formatBytes(fullest.bavail * fullest.bsize)}) of the disk below ${fullest.path} is left`;
    const pace = fullest.path === data ? forecast(fullest) : "its growth is not measured";
    const detail = `${free}; ${pace}. Try: du -xDh --max-depth=2 ${fullest.path} | sort -h | tail`;
    const first: KeeperTrouble = { code: "disk_filling", detail };
    return left > percent * SECOND ? [first] : [first, { code: "disk_low", detail }];
  }

  function forecast({ bavail, blocks, bsize }: Space): string {
    const figures = diskFigures(layout);
    if (!figures.known) return figures.reason;
    const now = clock.now();
    const growth = growthOf({ ...figures, freeBytes: bavail * bsize, totalBytes: blocks * bsize }, isoTime(now));
    if (growth === null) return "its growth is known after three days";
    const over = `over the last ${plural(growth.days, "day")}`;
    if (growth.fullAt === null) return `it hardly grew ${over}`;
    const days = Math.floor((Date.parse(growth.fullAt) - now) / DAY_MS);
    return `as it grew ${over}, it is full in about ${plural(days, "day")}`;
  }

  return { look, troubles: () => found };
}
