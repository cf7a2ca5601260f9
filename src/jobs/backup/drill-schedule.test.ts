import assert from "node:assert/strict";
import { test } from "node:test";
import { doneBackup, doneDrill } from "../../../test/kit/data-to-back-up.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { drillTroubles, isDrillDue } from "./backup-job.ts";
import type { BackupRecord, Drill, DrillRecord } from "./records.ts";

const NIGHT = Date.UTC(2026, 10, 20, 3);
const MONTH = 30 * DAY_MS;
const BACKED_UP: BackupRecord = {
  last: doneBackup(NIGHT + 1),
  failure: null,
  oldKept: null,
  since: NIGHT - DAY_MS,
  isKeySeen: true,
};
const drills = (...all: readonly Drill[]): DrillRecord => ({ drills: [...all], begun: null });
const MINUTE_AFTER = NIGHT + MINUTE_MS;

for (const [what, record, isDue] of [
  ["in the first night", drills(), true],
  ["once a night", drills(doneDrill(MINUTE_AFTER, "it is damaged")), false],
  ["again in the night after a failure", drills(doneDrill(NIGHT - DAY_MS, "x")), true],
  ["again in the night after a kill", { ...drills(doneDrill(NIGHT - 2 * DAY_MS)), begun: NIGHT - DAY_MS }, true],
  ["not at once after a kill", { ...drills(), begun: NIGHT + 1 }, false],
  ["one of tomorrow does not count", drills(doneDrill(NIGHT + 90 * DAY_MS)), true],
  ["not before a month", drills(doneDrill(NIGHT - 29 * DAY_MS)), false],
  ["after a month, at the same hour", drills(doneDrill(NIGHT - MONTH + MINUTE_MS)), true],
] as const)
  test(`whether a restore drill is needed now: ${what}`, () =>
    assert.equal(isDrillDue(BACKED_UP, record, { nightAt: NIGHT, everyMs: MONTH, now: MINUTE_AFTER }), isDue));

for (const [what, changes] of [
  ["a server that was set up today waits for the night", { since: NIGHT + 1 }],
  ["the night's backup comes first", { last: doneBackup(NIGHT - MINUTE_MS) }],
  ["none while backups fail", { failure: { at: NIGHT, reason: "" } }],
] as const)
  test(`no restore drill now: ${what}`, () => {
    const asked = { nightAt: NIGHT, everyMs: MONTH, now: MINUTE_AFTER };
    assert.equal(isDrillDue({ ...BACKED_UP, ...changes }, drills(), asked), false);
  });

test("reports a drill that failed, was killed, or is overdue", () => {
  const reported = (record: DrillRecord, now: number, runs = false) =>
    drillTroubles(BACKED_UP, record, { now, everyMs: MONTH, runs }).map(({ code, detail }) => `${code}: ${detail}`);
  assert.deepEqual(reported(drills(doneDrill(NIGHT)), NIGHT + MONTH), []);
  assert.deepEqual(reported(drills(doneDrill(NIGHT, "it is damaged")), NIGHT), [
    "backup_drill_failed: 2026-11-20: it is damaged",
  ]);
  const begun = { ...drills(doneDrill(NIGHT - MONTH)), begun: NIGHT };
  assert.deepEqual(reported(begun, NIGHT, true), []);
  assert.deepEqual(reported(begun, NIGHT), ["backup_drill_failed: the one of 2026-11-20 was interrupted"]);
  assert.deepEqual(reported(drills(), NIGHT + 2 * MONTH), ["backup_drill_overdue: there is none yet"]);
  assert.deepEqual(reported(drills(doneDrill(NIGHT), doneDrill(NIGHT + DAY_MS, "x")), NIGHT + 2 * MONTH), [
    "backup_drill_failed: 2026-11-21: x",
    "backup_drill_overdue: the last good one is of 2026-11-20",
  ]);
  assert.deepEqual(
    drillTroubles({ ...BACKED_UP, last: null }, drills(), { now: NIGHT + 9 * MONTH, everyMs: MONTH, runs: false }),
    [],
  );
});
