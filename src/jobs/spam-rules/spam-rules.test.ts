import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, instant } from "../../core/time.ts";
import { createRulesJob, readRulesRecord } from "./spam-rules.ts";

const ON = { "spam.enabled": true, "spam.updates": true };
const START = Date.UTC(2026, 10, 20, 6);

function keeper(rules = ON) {
  const layout = temporaryLayout("spamRulesRecord");
  const clock = { at: START, now: () => instant(clock.at) };
  const tried: number[] = [];
  /** Results of the next tries: null succeeds. */
  const state: { failure: string | null; isFull: boolean } = { failure: null, isFull: false };
  const schedule = createRulesJob(
    layout,
    clock,
    () => rules,
    (_, now) => {
      tried.push((now - START) / HOUR_MS);
      if (state.isFull) return Promise.reject(new Error("ENOSPC"));
      const before = readRulesRecord(layout);
      const { failure } = state;
      const last = failure === null ? { at: now, version: "7" } : before.last;
      writeFileSync(layout.spamRulesRecord, JSON.stringify({ ...before, triedAt: now, last, failure }));
      return Promise.resolve(
        failure === null ? { ok: true, version: "7", isNew: true } : { ok: false, reason: failure },
      );
    },
  );
  /** Checks every half hour. */
  const pass = async (days: number): Promise<void> => {
    for (let i = 0; i < 48 * days; i++) {
      await schedule.look();
      clock.at += HOUR_MS / 2;
    }
  };
  return { layout, clock, tried, state, schedule, pass };
}

test("rules are fetched an hour after the first start, then each day", async () => {
  const { tried, pass } = keeper();
  await pass(3);
  assert.deepEqual(tried, [1, 25, 49]);
});

test("on a full disk, which stores no result, rules are still fetched once a day", async () => {
  const { tried, state, pass } = keeper();
  state.isFull = true;
  await pass(3);
  assert.deepEqual(tried, [1, 25, 49]);
});

test("no rules are fetched while the filter or its updates are off", async () => {
  for (const off of ["spam.enabled", "spam.updates"]) {
    const { tried, pass, schedule } = keeper({ ...ON, [off]: false });
    await pass(2);
    assert.deepEqual([tried, schedule.troubles()], [[], []]);
  }
});

test("a week of failures is reported, until a fetch succeeds", async () => {
  const { state, schedule, pass } = keeper();
  await pass(1);
  state.failure = "no signature";
  await pass(6);
  assert.deepEqual(schedule.troubles(), []);
  await pass(2);
  assert.deepEqual(schedule.troubles(), [{ code: "spam_rules_old", detail: "no signature" }]);
  state.failure = null;
  await pass(1);
  assert.deepEqual(schedule.troubles(), []);
});

test("a clock that was ahead does not stop the updates", async () => {
  const { clock, tried, pass } = keeper();
  clock.at += 300 * DAY_MS;
  await pass(2);
  clock.at = START;
  tried.length = 0;
  await pass(2);
  assert.ok(tried.length >= 1, tried.join());
});
