import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { drillTroubles, isDrillDue } from "./backup-job.ts";
import type { BackupRecord, Drill, DrillRecord } from "./records.ts";

const NIGHT = Date.UTC(2026, 10, 20, 3);
const MONTH = 30 * DAY_MS;
const backup = {
  at: NIGHT + 1,
  tookMs: 1,
  snapshot: "0123abcd",
  place: "/backups",
  mails: 1,
  files: 1,
  bytes: 1,
  addedBytes: 1,
};
const BACKED_UP: BackupRecord = { last: backup, failure: null, oldKept: null, since: NIGHT - DAY_MS, isKeySeen: true };
const drill = (at: number, reason: string | null = null): Drill => ({
  at,
  tookMs: 1,
  snapshot: "0123abcd",
  madeAt: at,
  reason,
  found: null,
});
const drills = (...all: readonly Drill[]): DrillRecord => ({ drills: [...all], begun: null });

for (const { what, backups = BACKED_UP, record, expected } of [
  { what: "in the first night", record: drills(), expected: true },
  {
    what: "a server that was set up today waits for the night",
    backups: { ...BACKED_UP, since: NIGHT + 1 },
    record: drills(),
    expected: false,
  },
  {
    what: "the night's backup comes first",
    backups: { ...BACKED_UP, last: { ...backup, at: NIGHT - MINUTE_MS } },
    record: drills(),
    expected: false,
  },
  {
    what: "none while backups fail",
    backups: { ...BACKED_UP, failure: { at: NIGHT, reason: "" } },
    record: drills(),
    expected: false,
  },
  { what: "once a night", record: drills(drill(NIGHT + MINUTE_MS, "it is damaged")), expected: false },
  { what: "again in the night after a failure", record: drills(drill(NIGHT - DAY_MS, "x")), expected: true },
  {
    what: "again in the night after a kill",
    record: { ...drills(drill(NIGHT - 2 * DAY_MS)), begun: NIGHT - DAY_MS },
    expected: true,
  },
  { what: "not at once after a kill", record: { ...drills(), begun: NIGHT + 1 }, expected: false },
  { what: "one of tomorrow does not count", record: drills(drill(NIGHT + 90 * DAY_MS)), expected: true },
  { what: "not before a month", record: drills(drill(NIGHT - 29 * DAY_MS)), expected: false },
  { what: "after a month, at the same hour", record: drills(drill(NIGHT - MONTH + MINUTE_MS)), expected: true },
])
  test(`whether a restore drill is needed now: ${what}`, () =>
    assert.equal(isDrillDue(backups, record, { nightAt: NIGHT, everyMs: MONTH, now: NIGHT + MINUTE_MS }), expected));

test("reports a drill that failed, was killed, or is overdue", () => {
  const reported = (record: DrillRecord, now: number, runs = false) =>
    drillTroubles(BACKED_UP, record, { now, everyMs: MONTH, runs }).map(({ code, detail }) => `${code}: ${detail}`);
  assert.deepEqual(reported(drills(drill(NIGHT)), NIGHT + MONTH), []);
  assert.deepEqual(reported(drills(drill(NIGHT, "it is damaged")), NIGHT), [
    "backup_drill_failed: 2026-11-20: it is damaged",
  ]);
  const begun = { ...drills(drill(NIGHT - MONTH)), begun: NIGHT };
  assert.deepEqual(reported(begun, NIGHT, true), []);
  assert.deepEqual(reported(begun, NIGHT), ["backup_drill_failed: the one of 2026-11-20 was interrupted"]);
  assert.deepEqual(reported(drills(), NIGHT + 2 * MONTH), ["backup_drill_overdue: there is none yet"]);
  assert.deepEqual(reported(drills(drill(NIGHT), drill(NIGHT + DAY_MS, "x")), NIGHT + 2 * MONTH), [
    "backup_drill_failed: 2026-11-21: x",
    "backup_drill_overdue: the last good one is of 2026-11-20",
  ]);
  assert.deepEqual(
    drillTroubles({ ...BACKED_UP, last: null }, drills(), { now: NIGHT + 9 * MONTH, everyMs: MONTH, runs: false }),
    [],
  );
});
