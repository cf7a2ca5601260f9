import { DAY_MS } from "../../../core/time.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";
import { type DrillRecord, lastDrill } from "../../backup/drill-record.ts";
import type { BackupRecord } from "../../backup/record.ts";

/** Some nights may be missed: a disk is full, a machine is switched off. */
const OVERDUE_MS = 7 * DAY_MS;
/** A drill starts after the night's backup, at a different minute each time. */
const SLACK_MS = DAY_MS / 2;

/**
 * Whether a restore drill is needed now: once the night's backup is made. `nightAt`: when the last hour of backups started. A drill that
 * failed or was killed is repeated in the next night.
 */
export function isDrillDue(
  backups: BackupRecord,
  drills: DrillRecord,
  { nightAt, everyMs, now }: Readonly<{ nightAt: number; everyMs: number; now: number }>,
): boolean {
  if (backups.last === null || backups.failure !== null || backups.last.at < nightAt) return false;
  // One with a future time was made while the clock was ahead.
  const last = drills.drills.findLast(({ at }) => at <= now);
  const begun = drills.begun === null || drills.begun > now ? 0 : drills.begun;
  if (Math.max(last?.at ?? backups.since, begun) >= nightAt) return false;
  if (last === undefined || begun > 0 || last.reason !== null) return true;
  return nightAt - last.at >= everyMs - SLACK_MS;
}

/** `runs`: whether one runs now. */
export function drillTroubles(
  backups: BackupRecord,
  drills: DrillRecord,
  { now, everyMs, runs }: Readonly<{ now: number; everyMs: number; runs: boolean }>,
): readonly KeeperTrouble[] {
  if (backups.last === null) return [];
  const last = lastDrill(drills);
  const troubles: KeeperTrouble[] = [];
  if (drills.begun !== null && !runs)
    troubles.push({ code: "backup_drill_failed", detail: `the one of ${day(drills.begun)} was interrupted` });
  else if (last !== null && last.reason !== null)
    troubles.push({ code: "backup_drill_failed", detail: `${day(last.at)}: ${last.reason}` });
  const good = drills.drills.findLast(({ reason }) => reason === null);
  const since = good?.at ?? backups.since;
  if (since > 0 && now - since > everyMs + OVERDUE_MS)
    troubles.push({
      code: "backup_drill_overdue",
      detail: good === undefined ? "there is none yet" : `the last good one is of ${day(since)}`,
    });
  return troubles;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
