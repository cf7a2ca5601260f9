import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { doneBackup, doneDrill } from "../../../test/kit/data-to-back-up.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "../../core/time.ts";
import { systemClock } from "../../host/machine/clock.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { releaseLock, takeLock } from "../../host/running/data-directory.ts";
import { lastNight, type RunBehind } from "../job.ts";
import { backupTroubles, createBackupJob, drillTroubles, isDrillDue } from "./backup-job.ts";
import { type BackupRecord, changeBackupRecord, type DrillRecord, endDrill, readBackupRecord } from "./records.ts";

/** Far from now: no test runs when it starts. */
const HOUR = (new Date().getHours() + 12) % 24;
const TOLD = { backup: /^backup_failed no room$/, drill: /^backup_drill_failed \S+: no room$/ };
const THREE = new Date(2026, 10, 20, 3, 0, 0).getTime();
const NONE: BackupRecord = { last: null, failure: null, oldKept: null, since: THREE - 5 * DAY_MS, isKeySeen: true };
const RULES = { "backup.enabled": true, "backup.hour": 3, "backup.drill_every": 30 * DAY_MS };

test("reports a failure, three days without a backup, and a key that was never shown", () => {
  const codes = (record: BackupRecord, now: number) => backupTroubles(record, now).map(({ code }) => code);
  assert.deepEqual(codes({ ...NONE, since: THREE }, THREE + DAY_MS), []);
  assert.deepEqual(codes({ ...NONE, since: THREE }, THREE + 4 * DAY_MS), ["backup_overdue"]);
  assert.deepEqual(codes({ ...NONE, last: doneBackup(THREE), isKeySeen: false }, THREE), ["backup_key_unseen"]);
  const overdue = backupTroubles({ ...NONE, since: THREE }, THREE + 4 * DAY_MS, 4_711);
  const detail = "there is none yet; a backup or restore drill is still running (pid 4711)";
  assert.deepEqual(overdue, [{ code: "backup_overdue", detail }]);
  const failure = { at: THREE + DAY_MS, reason: "no space is left on the disk" };
  assert.deepEqual(codes({ ...NONE, last: doneBackup(THREE), oldKept: "append-only" }, THREE), ["backup_old_kept"]);
  const failed = { code: "backup_failed", detail: failure.reason };
  assert.deepEqual(backupTroubles({ ...NONE, last: doneBackup(THREE), failure }, THREE + DAY_MS), [failed]);
});

test("one task at a time, and only if backups are enabled: the night's backup, then the restore drill", async () => {
  const layout = temporaryLayout();
  let now = THREE - HOUR_MS;
  const runs: string[] = [];
  let finish = (): void => undefined;
  const run: RunBehind = (_, name, args) => {
    runs.push(`${name} ${args?.join(" ")}`);
    return new Promise((resolve) => (finish = () => resolve(null)));
  };
  let rules = { ...RULES, "backup.enabled": false };
  const schedule = createBackupJob(layout, { now: () => instant(now) }, () => rules, run);
  assert.equal(schedule.look(), null);
  rules = RULES;
  schedule.look();
  assert.equal(readBackupRecord(layout).since, now);
  now = THREE + MINUTE_MS;
  const running = schedule.look();
  schedule.look();
  assert.deepEqual(runs, ["backup backup"]);
  finish();
  changeBackupRecord(layout, { last: doneBackup(now), isKeySeen: true });
  await running;
  takeLock(layout.backupLock);
  assert.equal(schedule.look(), null, "a manual backup is still running");
  releaseLock(layout.backupLock);
  const drilling = schedule.look();
  assert.deepEqual(runs, ["backup backup", "backup drill"]);
  finish();
  endDrill(layout, doneDrill(now, "it is damaged"));
  await drilling;
  assert.equal(schedule.look(), null);
  const troubles = [{ code: "backup_drill_failed", detail: "2026-11-20: it is damaged" }];
  assert.deepEqual(schedule.troubles(), troubles);
});

for (const task of ["backup", "drill"] as const)
  for (const isLost of [false, true])
    test(`a ${task} that could not note its failure is reported and not restarted at once, ${isLost ? "nor while its record cannot be written" : "even after a restart of the keeper"}`, async () => {
      const layout = temporaryLayout("backupRecord");
      const now = Date.now();
      const [night, since] = [lastNight(HOUR, now), now - 5 * DAY_MS];
      changeBackupRecord(layout, { since, isKeySeen: true, last: task === "drill" ? doneBackup(night) : null });
      let runs = 0;
      const run: RunBehind = async (_, __, args, limit) => {
        assert.deepEqual([args, limit?.ms], [[task], 2 * DAY_MS]);
        runs += 1;
        // As after its time limit: the first reason stays.
        limit?.passed("no room");
        return "it was ended by SIGKILL";
      };
      const keeper = () => createBackupJob(layout, systemClock, () => ({ ...RULES, "backup.hour": HOUR }), run);
      const first = keeper();
      // Root refuses to write where others could write.
      if (isLost) chmodSync(layout.backup, 0o777);
      await first.look();
      const later = isLost ? first : keeper();
      assert.equal(later.look(), null);
      assert.equal(runs, 1);
      const [trouble] = later.troubles();
      assert.match(`${trouble?.code} ${trouble?.detail}`, TOLD[task]);
    });

test("reports that the directory of the backups cannot be prepared, until it can", () => {
  const layout = temporaryLayout();
  makeDirectory(dirname(layout.backup), 0o755);
  writeFileSync(layout.backup, "not a directory");
  const run: RunBehind = async () => null;
  const schedule = createBackupJob(layout, systemClock, () => RULES, run);
  assert.throws(() => schedule.look());
  const codes = schedule.troubles().map(({ code }) => code);
  assert.deepEqual(codes, ["backup_failed"]);
  rmSync(layout.backup);
  schedule.look();
  assert.deepEqual(schedule.troubles(), []);
});

const NIGHT = Date.UTC(2026, 10, 20, 3);
const MONTH = 30 * DAY_MS;
const BACKED_UP: BackupRecord = { ...NONE, last: doneBackup(NIGHT + 1), since: NIGHT - DAY_MS };
const drills = (...all: DrillRecord["drills"]): DrillRecord => ({ drills: all, begun: null });
const MINUTE_AFTER = NIGHT + MINUTE_MS;

for (const [what, record, isDue, changes] of [
  ["in the first night", drills(), true, {}],
  ["once a night", drills(doneDrill(MINUTE_AFTER, "it is damaged")), false, {}],
  ["again in the night after a failure", drills(doneDrill(NIGHT - DAY_MS, "x")), true, {}],
  ["again in the night after a kill", { ...drills(doneDrill(NIGHT - 2 * DAY_MS)), begun: NIGHT - DAY_MS }, true, {}],
  ["not at once after a kill", { ...drills(), begun: NIGHT + 1 }, false, {}],
  ["one of tomorrow does not count", drills(doneDrill(NIGHT + 90 * DAY_MS)), true, {}],
  ["not before a month", drills(doneDrill(NIGHT - 29 * DAY_MS)), false, {}],
  ["after a month, at the same hour", drills(doneDrill(NIGHT - MONTH + MINUTE_MS)), true, {}],
  ["a server that was set up today waits for the night", drills(), false, { since: NIGHT + 1 }],
  ["the night's backup comes first", drills(), false, { last: doneBackup(NIGHT - MINUTE_MS) }],
  ["none while backups fail", drills(), false, { failure: { at: NIGHT, reason: "" } }],
] as const)
  test(`whether a restore drill is needed now: ${what}`, () => {
    const asked = { nightAt: NIGHT, everyMs: MONTH, now: MINUTE_AFTER };
    assert.equal(isDrillDue({ ...BACKED_UP, ...changes }, record, asked), isDue);
  });

test("reports a drill that failed, was killed, or is overdue", () => {
  const reported = (record: DrillRecord, now: number, runs = false, backups = BACKED_UP) =>
    drillTroubles(backups, record, { now, everyMs: MONTH, runs }).map(({ code, detail }) => `${code}: ${detail}`);
  assert.deepEqual(reported(drills(doneDrill(NIGHT)), NIGHT + MONTH), []);
  const damaged = drills(doneDrill(NIGHT, "it is damaged"));
  assert.deepEqual(reported(damaged, NIGHT), ["backup_drill_failed: 2026-11-20: it is damaged"]);
  const begun = { ...drills(doneDrill(NIGHT - MONTH)), begun: NIGHT };
  assert.deepEqual(reported(begun, NIGHT, true), []);
  assert.deepEqual(reported(begun, NIGHT), ["backup_drill_failed: the drill of 2026-11-20 was interrupted"]);
  assert.deepEqual(reported(drills(), NIGHT + 2 * MONTH), ["backup_drill_overdue: there is none yet"]);
  assert.deepEqual(reported(drills(doneDrill(NIGHT), doneDrill(NIGHT + DAY_MS, "x")), NIGHT + 2 * MONTH), [
    "backup_drill_failed: 2026-11-21: x",
    "backup_drill_overdue: the last successful one is from 2026-11-20",
  ]);
  assert.deepEqual(reported(drills(), NIGHT + 9 * MONTH, false, { ...BACKED_UP, last: null }), []);
});
