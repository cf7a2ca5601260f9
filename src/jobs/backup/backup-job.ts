import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { failureOf, messageOf } from "../../core/error.ts";
import { BACKUP_DAYS, DRILL_LATE_DAYS } from "../../core/report/figures.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { lockHolder } from "../../host/running/data-directory.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { isNightDue, type JobFailure, lastNight, oneAtATime, type RunBehind, withUnnoted } from "../job.ts";
import {
  type BackupRecord,
  changeBackupRecord,
  type DrillRecord,
  endDrill,
  failedDrill,
  lastDrill,
  readBackupRecord,
  readDrills,
  withDrill,
} from "./records.ts";
import { prepareDirectory } from "./repository.ts";

export type BackupSettings = Pick<Settings, "backup.enabled" | "backup.hour" | "backup.drill_every">;
type Task = "backup" | "drill";

/** Uploads 100 GB at 5 Mbit/s. The next attempt reuses what a longer first backup has stored. */
const LIMIT_MS = 2 * DAY_MS;

/** Starts the nightly backup and the restore drills, and knows whether both succeed. */
export function createBackupJob(layout: Layout, clock: Clock, settings: () => BackupSettings | null, run: RunBehind) {
  /** The last failures, in memory because the disk may not be able to store them. */
  const unnoted: Record<Task, JobFailure | null> = { backup: null, drill: null };

  const backups = (): BackupRecord => withUnnoted(readBackupRecord(layout), unnoted.backup);

  function drills(): DrillRecord {
    const record = readDrills(layout);
    const { drill } = unnoted;
    return drill === null || (lastDrill(record)?.at ?? 0) >= drill.at ? record : withDrill(record, failedDrill(drill));
  }

  /** Throws if the directory of the backups cannot be prepared. No backup becomes due until it is, so only this reports it. */
  function prepare(now: number): void {
    try {
      prepareDirectory(layout);
      changeBackupRecord(layout, { since: now });
      unnoted.backup = null;
    } catch (error) {
      unnoted.backup = { at: now, reason: `the directory of the backups cannot be prepared: ${messageOf(error)}` };
      throw error;
    }
  }

  /** Never rejects. */
  async function make(task: Task): Promise<void> {
    const at = Date.now();
    const passed = (reason: string): void => noteFailure(task, at, reason);
    const reason = await run(layout, "backup", [task], { ms: LIMIT_MS, passed });
    if (reason !== null) passed(reason);
  }

  /** A task that was killed, or had no space, has noted no failure. Without a note it would be restarted each minute. */
  function noteFailure(task: Task, began: number, reason: string): void {
    if (((task === "backup" ? backups().failure : lastDrill(drills()))?.at ?? 0) >= began) return;
    const failure = { at: Date.now(), reason };
    const why = failureOf(() =>
      task === "backup" ? changeBackupRecord(layout, { failure }) : endDrill(layout, failedDrill(failure)),
    );
    if (why === null) return;
    unnoted[task] = failure;
    console.error(`keeper: the failure of a ${task} could not be recorded: ${why}`);
  }

  /** The task to run now, a backup first. */
  function due(record: BackupRecord, inForce: BackupSettings, now: number): Task | null {
    const hour = inForce["backup.hour"];
    if (isNightDue(record, hour, now)) return "backup";
    const when = { nightAt: lastNight(hour, now), everyMs: inForce["backup.drill_every"], now };
    return isDrillDue(record, drills(), when) ? "drill" : null;
  }

  return {
    look: oneAtATime(clock, settings, (inForce, now) => {
      if (!inForce["backup.enabled"]) return null;
      const record = backups();
      if (record.since === 0) {
        prepare(now);
        return null;
      }
      const task = lockHolder(layout.backupLock) === null ? due(record, inForce, now) : null;
      return task && make(task);
    }),
    troubles: (): readonly KeeperTrouble[] => {
      const inForce = settings();
      if (inForce?.["backup.enabled"] !== true) return [];
      const [record, now] = [backups(), clock.now()];
      const holder = lockHolder(layout.backupLock);
      const how = { now, everyMs: inForce["backup.drill_every"], runs: holder !== null };
      return [...backupTroubles(record, now, holder), ...drillTroubles(record, drills(), how)];
    },
  };
}

/** `holder`: the process of the backup or restore drill that runs now. */
export function backupTroubles(
  { last, failure, oldKept, since, isKeySeen }: BackupRecord,
  now: number,
  holder: number | null = null,
): readonly KeeperTrouble[] {
  const lastAt = last?.at ?? since;
  const still = holder === null ? "" : `; a backup or restore drill is still running (pid ${holder})`;
  const troubles: KeeperTrouble[] = [];
  if (failure !== null) troubles.push({ code: "backup_failed", detail: failure.reason });
  if (oldKept !== null) troubles.push({ code: "backup_old_kept", detail: oldKept });
  if (lastAt > 0 && now - lastAt > BACKUP_DAYS * DAY_MS)
    troubles.push({
      code: "backup_overdue",
      detail: (last === null ? "there is none yet" : `the last one is from ${day(lastAt)}`) + still,
    });
  if (last !== null && !isKeySeen) troubles.push({ code: "backup_key_unseen", detail: "./ghostinbox backup key" });
  return troubles;
}

/** A drill starts after the night's backup, at a different minute each time. */
const SLACK_MS = DAY_MS / 2;

/**
 * Whether a restore drill is needed now, which requires the night's backup. `nightAt`: when the hour of backups last started. A drill that
 * failed or was killed is repeated the next night.
 */
export function isDrillDue(
  backups: BackupRecord,
  drills: DrillRecord,
  { nightAt, everyMs, now }: Readonly<{ nightAt: number; everyMs: number; now: number }>,
): boolean {
  if (backups.last === null || backups.failure !== null || backups.last.at < nightAt) return false;
  // A drill with a future time was made while the clock was ahead.
  const last = drills.drills.findLast(({ at }) => at <= now);
  const begun = drills.begun === null || drills.begun > now ? 0 : drills.begun;
  if (Math.max(last?.at ?? backups.since, begun) >= nightAt) return false;
  if (last === undefined || begun > 0 || last.reason !== null) return true;
  return nightAt - last.at >= everyMs - SLACK_MS;
}

/** `runs`: whether a drill is running now. */
export function drillTroubles(
  backups: BackupRecord,
  drills: DrillRecord,
  { now, everyMs, runs }: Readonly<{ now: number; everyMs: number; runs: boolean }>,
): readonly KeeperTrouble[] {
  if (backups.last === null) return [];
  const last = lastDrill(drills);
  const troubles: KeeperTrouble[] = [];
  if (drills.begun !== null && !runs)
    troubles.push({ code: "backup_drill_failed", detail: `the drill of ${day(drills.begun)} was interrupted` });
  else if (last !== null && last.reason !== null)
    troubles.push({ code: "backup_drill_failed", detail: `${day(last.at)}: ${last.reason}` });
  const good = drills.drills.findLast(({ reason }) => reason === null);
  const since = good?.at ?? backups.since;
  if (since > 0 && now - since > everyMs + DRILL_LATE_DAYS * DAY_MS)
    troubles.push({
      code: "backup_drill_overdue",
      detail: good === undefined ? "there is none yet" : `the last successful one is from ${day(since)}`,
    });
  return troubles;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
