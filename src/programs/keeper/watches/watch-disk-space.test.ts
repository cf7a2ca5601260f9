import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { DAY_MS, isoTime, later } from "../../../core/time.ts";
import { readDiskDays } from "../../../jobs/report/records.ts";
import { createDiskSpaceWatch } from "./watch-disk-space.ts";

const BLOCKS = 1_000_000;

function setUp() {
  const layout = temporaryLayout();
  for (const path of [dirname(layout.engineDb), dirname(layout.accountsDb), layout.report, layout.log, layout.mail])
    mkdirSync(path, { recursive: true });
  const clock = new HandClock();
  const inForce = { "alerts.thresholds.disk": 20 };
  const left: Record<string, number> = {};
  const space = (path: string) => ({ bsize: 1_000, blocks: BLOCKS, bavail: left[path] ?? BLOCKS });
  const watch = createDiskSpaceWatch(layout, clock, () => inForce, space);
  const look = (path: string, share: number): readonly string[] => {
    left[path] = share * BLOCKS;
    watch.look();
    return watch.troubles().map(({ code }) => code);
  };
  return { layout, clock, inForce, watch, look };
}

test("reports a fifth and a tenth of the disk left, each with its own notice, until there is space again", () => {
  const { layout, watch, look } = setUp();
  assert.deepEqual(look(layout.data, 0.21), []);
  assert.deepEqual(look(layout.data, 0.2), ["disk_filling"]);
  const says = /^20 % \(.*MB\) of the disk below \S+ is left; .* after three days\. Try: /;
  assert.match(watch.troubles()[0]?.detail ?? "", says);
  assert.deepEqual(look(layout.data, 0.1), ["disk_filling", "disk_low"]);
  assert.deepEqual(look(layout.data, 0.5), []);
  assert.equal(readDiskDays(layout).length, 1, "the day is noted");
});

test("no day is noted while the clock may be wrong", () => {
  const { layout, clock, look } = setUp();
  Object.assign(clock, { jump: () => ({}) });
  assert.deepEqual(look(layout.data, 0.2), ["disk_filling"]);
  assert.deepEqual(readDiskDays(layout), []);
});

test("mail on a separate disk is watched too, and 0 turns it off", () => {
  const { layout, inForce, watch, look } = setUp();
  assert.deepEqual(look(layout.mail, 0.05), ["disk_filling", "disk_low"]);
  const command = `du -xDh --max-depth=2 ${layout.mail} | sort -h | tail`;
  assert.ok(watch.troubles()[0]?.detail.endsWith(`. Try: ${command}`), "du(1) does not cross into another disk");
  inForce["alerts.thresholds.disk"] = 0;
  assert.deepEqual(look(layout.mail, 0), []);
});

test("the days until the disk is full follow from its growth", () => {
  const { layout, clock, watch, look } = setUp();
  const day = isoTime(later(clock.now(), -4 * DAY_MS)).slice(0, 10);
  const usedBytes = 0.78 * BLOCKS * 1_000;
  writeFileSync(layout.diskDays, JSON.stringify([{ day, usedBytes, logBytes: 0, databaseBytes: 0 }]));
  look(layout.data, 0.18);
  const says = /as it grew over the last 4 days, it is full in about (17|18) days\. Try: /;
  assert.match(watch.troubles()[0]?.detail ?? "", says);
});
