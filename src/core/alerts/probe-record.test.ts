import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, later, MINUTE_MS, SECOND_MS } from "../time.ts";
import {
  afterProbe,
  afterRestart,
  isBeyondHelp,
  isReported,
  isYoungAt,
  type ProbeRecord,
  type ProbeResult,
  UNTRIED,
  wantsRestart,
} from "./probe-record.ts";

const START = instant(1_700_000_000_000);
const HANGS: ProbeResult = { ok: false, hangs: true, says: "gave no answer" };
const HUNG_UP: ProbeResult = { ok: false, hangs: false, says: "hung up" };
const OLD = { now: START, isYoung: false, isStarved: false };
/** After half a minute of failures. */
const NOW = later(START, 30 * SECOND_MS);

function failing(times: number, result: ProbeResult = HANGS, from: ProbeRecord = UNTRIED): ProbeRecord {
  let record = from;
  for (let i = 0; i < times; i++) record = afterProbe(record, result, OLD);
  return record;
}

test("one failure is not reported, the second is, and a success ends it", () => {
  const results = [0, 1, 2, 3].map((times) => isReported(failing(times)));
  assert.deepEqual(results, [false, false, true, true]);
  assert.deepEqual(afterProbe(failing(3), { ok: true }, OLD), UNTRIED);
});

test("the time of the first failure is kept, with the words of the last", () => {
  const second = afterProbe(failing(1), HUNG_UP, { ...OLD, now: later(START, 6_000) });
  assert.partialDeepStrictEqual(second, { since: START, says: "hung up" });
});

test("a part that hangs is restarted at the sixth failure, one that answers wrongly is not", () => {
  assert.equal(wantsRestart(failing(5), NOW), false);
  assert.equal(wantsRestart(failing(6), NOW), true);
  assert.equal(wantsRestart(failing(6, HUNG_UP), NOW), false);
  assert.equal(wantsRestart(failing(6), later(START, 29 * SECOND_MS)), false, "six connections are refused quickly");
  assert.equal(isBeyondHelp(failing(6), NOW), false);
  assert.equal(isBeyondHelp(failing(6, HUNG_UP), NOW), true);
});

test("a part that is silent while programs wait for a processor is reported, and restarted once they no longer do or after ten minutes", () => {
  let record = UNTRIED;
  for (let i = 0; i < 20; i++)
    record = afterProbe(record, HANGS, { ...OLD, now: later(START, i * 31 * SECOND_MS), isStarved: true });
  assert.ok(isReported(record));
  assert.equal(record.says, "gave no answer while programs wait for a processor");
  assert.equal(wantsRestart(record, NOW), false);
  assert.equal(isBeyondHelp(record, NOW), false);
  assert.equal(wantsRestart(failing(3, HANGS, record), NOW), false);
  assert.equal(wantsRestart(failing(4, HANGS, record), NOW), true);
  const afterTen = later(START, 10 * MINUTE_MS);
  for (let i = 0; i < 4; i++) record = afterProbe(record, HANGS, { ...OLD, now: afterTen, isStarved: true });
  assert.equal(wantsRestart(record, afterTen), true, "it may loop itself");
  const refused = afterProbe(failing(5, HUNG_UP), HUNG_UP, { ...OLD, isStarved: true });
  assert.equal(isBeyondHelp(refused, NOW), true, "a refusal is an answer");
});

test("a part that keeps failing after a restart is beyond help at the sixth failure, and restarted again after ten minutes", () => {
  const restarted = afterRestart(failing(6), START);
  assert.ok(isReported(restarted));
  const again = failing(3, HANGS, restarted);
  assert.equal(isBeyondHelp(again, NOW), false);
  const last = failing(1, HANGS, again);
  const after = later(START, 10 * MINUTE_MS);
  assert.equal(wantsRestart(last, later(after, -1)), false);
  assert.equal(isBeyondHelp(last, NOW), true);
  assert.equal(wantsRestart(last, after), true);
  assert.equal(isBeyondHelp(last, after), false);
});

test("a part that answers after its restart may hang again, but not be restarted within ten minutes", () => {
  const well = afterProbe(afterRestart(failing(6), START), { ok: true }, OLD);
  assert.equal(isReported(well), false);
  assert.equal(wantsRestart(failing(6, HANGS, well), later(START, MINUTE_MS)), false);
});

test("failures of a part that has just started do not count, unless it starts again and again", () => {
  let record = UNTRIED;
  const failAt = (seconds: readonly number[]): void => {
    for (const second of seconds)
      record = afterProbe(record, HANGS, { ...OLD, now: later(START, second * SECOND_MS), isYoung: true });
  };
  failAt([0, 14]);
  assert.equal(record.failures, 0);
  failAt([15, 18]);
  assert.ok(isReported(record));
});

test("a process is young for fifteen seconds, even if the clock is set back", () => {
  const young = [-20_000, -14_999, 0, 14_999, 15_000].map((ms) => isYoungAt(START, later(START, ms)));
  assert.deepEqual(young, [false, true, true, true, false]);
});
