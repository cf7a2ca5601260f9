import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openEngine, openEngineForReading } from "../../src/adapters/sqlite/open.ts";
import { ReportEvents } from "../../src/adapters/sqlite/read/report-events.ts";
import { DAY_MS, later } from "../../src/core/time.ts";
import { costOf } from "../kit/processor-time.ts";
import { NOON } from "../kit/samples.ts";
import { fill } from "./fill.ts";

const EVENTS = 200_000;
/** A fifth of the five seconds that a report over a million may take. */
const MOST_MS = 1_000;
const RUNS = 3;

test("the figures of a month with many events come within a fifth of their time for a million", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-scale-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "engine.db");
  const db = openEngine(path);
  fill(db, { events: EVENTS, bans: 100, now: NOON });
  db.close();
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  const gather = (): void => {
    const events = new ReportEvents(reader);
    const from = later(NOON, -30 * DAY_MS);
    const days = events.days(from, NOON);
    const found = [events.addresses(from, NOON), events.names(from), events.reasons("EMAIL_BLOCKED", from, NOON)];
    assert.ok(days.length > 29 && found.every(({ length }) => length > 0));
    assert.deepEqual([events.scored(from).scored, events.looked(from, NOON).events], [EVENTS / 20, EVENTS / 4]);
  };
  const leastMs = Math.min(...Array.from({ length: RUNS }, () => costOf(gather).costMs));
  t.diagnostic(`${EVENTS.toLocaleString("en")} events: ${leastMs.toFixed(0)} ms`);
  assert.ok(leastMs < MOST_MS, `${leastMs} ms`);
});
