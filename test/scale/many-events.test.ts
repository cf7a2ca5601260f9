import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { EventCount } from "../../src/adapters/sqlite/engine-db/event-count.ts";
import { openEngine, openEngineForReading } from "../../src/adapters/sqlite/open.ts";
import { SqliteFigures } from "../../src/adapters/sqlite/read/figures.ts";
import { costOf } from "../kit/processor-time.ts";
import { NOON } from "../kit/samples.ts";
import { fill } from "./fill.ts";
import { FINDS_NOTHING, questions } from "./questions.ts";

const FEW = 20_000;
const MANY = 10 * FEW;
const RUNS = 7;
/**
 * Ten times as many events may take three times as long. Below the floor lies what has a bound that so few events do not
 * reach, such as the addresses that are ranked in an hour.
 */
const MOST_TIMES = 3;
const FLOOR_MS = 12;
/** A search for a text reads what it must look at, and stops after 20 ms (event-search.ts). */
const TEXT_MS = 30;

test("every question is answered as fast with ten times as many events", (t) => {
  const few = questions(filled(t, FEW), NOON);
  const many = questions(filled(t, MANY), NOON);
  for (const [what, ask] of Object.entries(many)) {
    const found = ask();
    assert.equal(found === 0, FINDS_NOTHING.test(what), `${what}: ${found}`);
    const [fewMs, manyMs] = [fastest(few[what] ?? ask), fastest(ask)];
    t.diagnostic(`${what}: ${fewMs.toFixed(1)} ms, ${manyMs.toFixed(1)} ms`);
    assert.ok(
      manyMs < Math.max(what.includes("with a text") ? TEXT_MS : FLOOR_MS, MOST_TIMES * fewMs),
      `${what}: ${fewMs} ms, then ${manyMs} ms`,
    );
  }
});

test("what the fill writes is what the guard would have written", (t) => {
  const db = filled(t, FEW);
  const count = (sql: string): unknown => Object.values(db.prepare(sql).get() ?? {})[0];
  assert.equal(count("SELECT count(*) FROM event"), FEW);
  assert.equal(new EventCount(db).rows, FEW);
  assert.equal(
    count("SELECT count(*) FROM event_subject WHERE subject LIKE '%/%'"),
    count("SELECT count(prefix) FROM event"),
  );
  assert.equal(count("SELECT count(*) FROM event_name WHERE role = 4"), FEW);
  assert.equal(
    Object.values(new SqliteFigures(db).totals(null)).reduce((sum, n) => sum + n, 0),
    FEW,
  );
  assert.equal(count("SELECT count(*) FROM ban WHERE ended_at IS NULL"), FEW / 20);
});

/** The least processor time of some: other programs of the machine only make it more. */
function fastest(ask: () => number): number {
  return Math.min(...Array.from({ length: RUNS }, () => costOf(ask).costMs));
}

function filled(t: TestContext, events: number): DatabaseSync {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-events-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "engine.db");
  const writer = openEngine(path);
  t.after(() => writer.close());
  fill(writer, { events, bans: events / 20, now: NOON });
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  return reader;
}
