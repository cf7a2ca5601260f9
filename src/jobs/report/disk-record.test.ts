import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, instant, later } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { diskFigures, noteDiskDay, readDiskDays } from "./records.ts";

const NOON = instant(Date.UTC(2026, 10, 20, 12));

function data() {
  const layout = temporaryLayout("engineDb", "accountsDb", "diskDays", "mailLog");
  writeFileSync(layout.mailLog, "x".repeat(700));
  writeFileSync(join(layout.log, "top"), "x".repeat(50));
  writeFileSync(layout.engineDb, "x".repeat(300));
  return layout;
}

test("a day is noted once, with the disk, the logs and the databases", () => {
  const layout = data();
  noteDiskDay(layout, NOON);
  writeFileSync(layout.mailLog, "x".repeat(9_000));
  noteDiskDay(layout, later(NOON, 1_000));
  const [today, ...others] = readDiskDays(layout);
  assert.deepEqual([today?.day, today?.logBytes, today?.databaseBytes, others], ["2026-11-20", 750, 300, []]);
  assert.ok((today?.usedBytes ?? 0) > 0);
  noteDiskDay(layout, later(NOON, DAY_MS));
  const days = readDiskDays(layout).map(({ day, logBytes }) => `${day} ${logBytes}`);
  assert.deepEqual(days, ["2026-11-20 750", "2026-11-21 9050"]);
  const figures = diskFigures(layout);
  assert.ok(figures.known);
  assert.deepEqual([figures.path, figures.logBytes, figures.history.length], [layout.data, 9_050, 2]);
});

test("a day with a future time is removed, and at most a hundred days are kept", () => {
  const layout = data();
  noteDiskDay(layout, later(NOON, 900 * DAY_MS));
  for (let i = 0; i < 105; i++) noteDiskDay(layout, later(NOON, i * DAY_MS));
  const days = readDiskDays(layout);
  assert.deepEqual([days.length, days[0]?.day, days.at(-1)?.day], [100, "2026-11-25", "2027-03-04"]);
});

test("a missing disk is reported", () => {
  const gone = diskFigures(layoutOf("/nowhere/at/all"));
  assert.match(gone.known ? "" : gone.reason, /^The disk cannot be read: ENOENT/);
});
