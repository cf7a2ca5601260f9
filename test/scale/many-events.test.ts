import assert from "node:assert/strict";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { DAY_MS, later } from "../../src/core/time.ts";
import { EventCount } from "../../src/store/events/event-ids.ts";
import { sqliteFigures } from "../../src/store/events/figures.ts";
import { sqliteReportEvents } from "../../src/store/events/report-events.ts";
import { openEngine, openEngineForReading } from "../../src/store/open.ts";
import { patience } from "../kit/patience.ts";
import { costOf } from "../kit/processor-time.ts";
import { NOON } from "../kit/samples.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { fill } from "./fill.ts";
import { FINDS_NOTHING, questions } from "./questions.ts";

const FEW = 20_000;
const MANY = 10 * FEW;
const RUNS = 7;
/**
 * Ten times as many events may take three times as long. Times below the floor are ignored: some work has a bound that so few
 * events do not reach, such as the addresses that are ranked in an hour.
 */
const MOST_TIMES = 3;
const FLOOR_MS = 12;
/** A search for a text reads rows one by one, and stops after 20 ms (event-search.ts). */
const TEXT_MS = 30;
/** A fifth of the five seconds that a report over a million may take. */
const MOST_REPORT_MS = 1_000;

describe("with many events", () => {
  const directory = temporaryDirectory();
  const open: DatabaseSync[] = [];
  let [few, many]: DatabaseSync[] = [];
  before(() => {
    [few, many] = [FEW, MANY].map((events) => {
      const path = join(directory, `${events}.db`);
      const writer = openEngine(path);
      fill(writer, { events, bans: events / 20, now: NOON });
      const reader = openEngineForReading(path);
      open.push(reader, writer);
      return reader;
    });
  });
  after(() => open.forEach((db) => db.close()));

  test("every question is answered about as fast with ten times as many events", (t) => {
    const ofFew = questions(few ?? assert.fail(), NOON);
    for (const [what, ask] of Object.entries(questions(many ?? assert.fail(), NOON))) {
      const found = ask();
      assert.equal(found === 0, FINDS_NOTHING.test(what), `${what}: ${found}`);
      const enoughMs = patience(what.includes("with a text") ? TEXT_MS : FLOOR_MS);
      const manyMs = fastest(ask, enoughMs);
      const fewMs = manyMs < enoughMs ? 0 : fastest(ofFew[what] ?? ask);
      t.diagnostic(`${what}: ${manyMs.toFixed(1)} ms${fewMs === 0 ? "" : `, with few ${fewMs.toFixed(1)} ms`}`);
      assert.ok(manyMs < Math.max(enoughMs, MOST_TIMES * fewMs), `${what}: ${fewMs} ms, then ${manyMs} ms`);
    }
  });

  test("the figures of a month's report take at most a fifth of the time allowed for a million events", (t) => {
    const gather = (): void => {
      const events = sqliteReportEvents(many ?? assert.fail(), later(NOON, -30 * DAY_MS), NOON);
      const days = events.days();
      const found = [events.addresses(), events.names(), events.reasons("EMAIL_BLOCKED")];
      assert.ok(days.length > 29 && found.every(({ length }) => length > 0));
      assert.deepEqual([events.scored().scored, events.looked().events], [MANY / 20, MANY / 4]);
    };
    const leastMs = fastest(gather, MOST_REPORT_MS);
    t.diagnostic(`${MANY.toLocaleString("en")} events: ${leastMs.toFixed(0)} ms`);
    assert.ok(leastMs < patience(MOST_REPORT_MS), `${leastMs} ms`);
  });

  test("the fill writes what the guard would have written", () => {
    const db = few ?? assert.fail();
    const count = (sql: string): unknown => Object.values(db.prepare(sql).get() ?? {})[0];
    const events = count("SELECT count(*) FROM event");
    const named = count("SELECT count(*) FROM event_name WHERE role = 4");
    const counted = Object.values(sqliteFigures(db).totals(null)).reduce((sum, n) => sum + n, 0);
    assert.deepEqual([events, new EventCount(db).rows, named, counted], [FEW, FEW, FEW, FEW]);
    const subjects = count("SELECT count(*) FROM event_subject WHERE subject LIKE '%/%'");
    assert.equal(subjects, count("SELECT count(prefix) FROM event"));
    assert.equal(count("SELECT count(*) FROM ban WHERE ended_at IS NULL"), FEW / 20);
  });
});

/** The least processor time of several runs, or the first that is low enough, because other programs can only add to it. */
function fastest(ask: () => unknown, enoughMs = 0): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && leastMs >= enoughMs; run++) leastMs = Math.min(leastMs, costOf(ask).costMs);
  return leastMs;
}
