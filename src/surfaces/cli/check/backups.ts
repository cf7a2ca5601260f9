import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BACKUP_DAYS, DRILL_LATE_DAYS } from "../../../core/report/figures.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, HOUR_MS, span } from "../../../core/time.ts";
import { isInMemory } from "../../../host/root-files/disks.ts";
import {
  type BackupRecord,
  type DoneBackup,
  type DrillRecord,
  readBackupRecord,
  readDrills,
} from "../../../jobs/backup/records.ts";
import { placeOf, repositoryOf } from "../../../jobs/backup/repository.ts";
import type { Restored, Snapshot } from "../../../jobs/backup/restic.ts";
import { loadSettings } from "../../../settings/load.ts";
import { PROGRAM } from "../call.ts";
import { check, type Finding, ok, type Server, unknown, warning, wrong } from "./check.ts";

/** A day, and some hours for the nightly backup to finish. */
const FRESH_MS = 30 * HOUR_MS;
const CREATE = `${PROGRAM} backup create`;

export function judgeLastBackup(isEnabled: boolean, { last, failure }: BackupRecord, now: number): Finding {
  if (!isEnabled) return warning("Backups are off (backup.enabled).", `${PROGRAM} config set backup.enabled true`);
  if (last === null) return wrong(failure === null ? "No backup exists yet." : `No backup: ${failure.reason}.`, CREATE);
  const saw = `The last backup is ${span(now - last.at)} old (${last.snapshot}, ${plural(last.mails, "mail")}).`;
  const since = failure !== null && failure.at > last.at ? ` The next one failed: ${failure.reason}.` : "";
  if (now - last.at > BACKUP_DAYS * DAY_MS) return wrong(`${saw}${since}`, CREATE);
  return now - last.at > FRESH_MS || since !== "" ? warning(`${saw}${since}`, CREATE) : ok(saw);
}

export function judgeKey({ last, isKeySeen }: BackupRecord): Finding {
  if (last === null) return unknown("No backup exists yet, so there is no key to keep.", CREATE);
  if (isKeySeen) return ok("The key was displayed; whether you keep a copy elsewhere cannot be seen from here.");
  return wrong("The key was never displayed: without it no backup can be read.", `${PROGRAM} backup key`);
}

/** The devices of the data directory and of the repository; `repository` is null if it is on another machine. */
type Disks = Readonly<{ data: number; repository: number | null; inMemory?: boolean }>;

export function judgePlace(place: string, disks: Disks): Finding {
  const fix = `${PROGRAM} config set backup.repository PLACE  # docs/backups.md`;
  if (disks.repository === null) return ok(`The backups are on another machine: ${place}.`);
  if (disks.repository === disks.data)
    return warning(`The backups are on the same disk as the mail, and would be lost with it: ${place}.`, fix);
  if (disks.inMemory === true)
    return wrong(`The next reboot or new container loses the backups, because no disk is mounted at ${place}.`, fix);
  return ok(`The backups are on another disk: ${place}.`);
}

function judgeRepository(last: DoneBackup, listed: Restored<readonly Snapshot[]>): Finding {
  if (!listed.ok) return wrong(`The repository cannot be read: ${listed.reason}.`, `${PROGRAM} backup list`);
  const newest = listed.value.at(-1);
  if (newest === undefined || !listed.value.some(({ id }) => id.startsWith(last.snapshot)))
    return wrong(`The repository does not hold the last backup (${last.snapshot}).`, CREATE);
  return ok(`The key opens the repository: it holds ${plural(listed.value.length, "backup")}.`);
}

/** Does not print the settings, which hold secrets. */
function judgeRestored(last: DoneBackup, read: Restored<string>): Finding {
  const fix = `${PROGRAM} backup verify`;
  if (!read.ok) return wrong(`The settings of ${last.snapshot} cannot be read back: ${read.reason}.`, fix);
  if (!loadSettings(read.value, {}).ok) return wrong(`The settings of ${last.snapshot} came back damaged.`, fix);
  return ok(`The settings came back from ${last.snapshot}: ${plural(read.value.split("\n").length, "line")}.`);
}

export function judgeDrill({ drills }: DrillRecord, everyMs: number, now: number): Finding {
  const fix = `${PROGRAM} backup drill`;
  const last = drills.at(-1);
  if (last === undefined) return warning("No restore has been tested here yet.", fix);
  if (last.reason !== null) return wrong(`The last restore drill failed: ${last.reason}.`, fix);
  const mails = last.found === null ? "" : `, with ${plural(last.found.mails, "mail")}`;
  const saw = `A test restore succeeded ${span(now - last.at)} ago${mails}.`;
  return now - last.at > everyMs + DRILL_LATE_DAYS * DAY_MS ? warning(saw, fix) : ok(saw);
}

function deviceOf(path: string): number {
  return existsSync(path) ? statSync(path).dev : deviceOf(dirname(path));
}

function look({ layout, settings }: Server): Finding {
  const named = settings["backup.repository"];
  const isElsewhere = named !== "" && !named.startsWith("/");
  const path = named === "" ? layout.backupRepository : named;
  const repository = isElsewhere ? null : deviceOf(path);
  // Of a file in the repository.
  const inMemory = isInMemory(join(path, "config"));
  return judgePlace(placeOf(layout, settings), { data: deviceOf(layout.data), repository, inMemory });
}

export const backups = {
  age: check("Reads when the last backup finished.", ({ layout, settings, now }) =>
    judgeLastBackup(settings["backup.enabled"], readBackupRecord(layout), now),
  ),
  key: check("Reads whether the key was ever displayed.", ({ layout }) => judgeKey(readBackupRecord(layout))),
  repository: check("Opens the repository with the key, and lists what it holds.", async ({ layout, settings }) => {
    const { last } = readBackupRecord(layout);
    if (last === null) return unknown("No backup exists yet.", CREATE);
    return judgeRepository(last, await repositoryOf(layout, settings).snapshots());
  }),
  restore: check(
    "Reads the settings of the last backup from the repository, as a restore does.",
    async ({ layout, settings }) => {
      const { last } = readBackupRecord(layout);
      if (last === null) return unknown("No backup exists yet to restore from.", CREATE);
      const file = `/${basename(layout.settings)}`;
      return judgeRestored(last, await repositoryOf(layout, settings).read(last.snapshot, file));
    },
  ),
  drill: check(
    "Reads the result of the last restore drill, which restores and compares a whole backup.",
    ({ layout, settings, now }) => judgeDrill(readDrills(layout), settings["backup.drill_every"], now),
  ),
  elsewhere: check("Compares the disk of the backups with the disk of the mail.", look),
};
