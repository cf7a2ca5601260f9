import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { RunBehind } from "../job.ts";
import { checkTroubles, createCheckJob, isDue } from "./check-job.ts";
import { type CheckRecord, changeCheckRecord, NO_CHECKS, readCheckRecord } from "./check-record.ts";

const NOW = Date.UTC(2026, 10, 21, 8);
const SINCE: CheckRecord = { ...NO_CHECKS, since: NOW - 60 * DAY_MS };
const FALLEN = { "tls.days": { state: "wrong", evidence: "It expired.", passedAt: 1 } } as const;

for (const [what, changes, expected] of [
  ["a new server", { since: NOW - MINUTE_MS }, false],
  ["ten minutes later", { since: NOW - 10 * MINUTE_MS }, true],
  ["within the day", { at: NOW - DAY_MS + 1 }, false],
  ["after a day", { at: NOW - DAY_MS }, true],
  ["within an hour of a failure", { at: NOW - HOUR_MS + 1, checks: FALLEN }, false],
  ["an hour after a failure", { at: NOW - HOUR_MS, checks: FALLEN }, true],
  ["one of tomorrow does not count", { at: NOW + 90 * DAY_MS }, true],
  ["not at once after one that was ended", { at: NOW - 7 * DAY_MS, triedAt: NOW - MINUTE_MS }, false],
  ["an hour after one that was ended", { at: NOW - 7 * DAY_MS, triedAt: NOW - HOUR_MS }, true],
] as const)
  test(`whether the checks must run now: ${what}`, () => assert.equal(isDue({ ...SINCE, ...changes }, NOW), expected));

test("the notice names a few of many failures, and is about all of them", () => {
  assert.deepEqual(checkTroubles(SINCE), []);
  const expired = { code: "check_failed", detail: "tls.days: It expired.", about: ["tls.days"] };
  assert.deepEqual(checkTroubles({ ...SINCE, checks: FALLEN }), [expired]);
  const many = Object.fromEntries(["a.a", "a.b", "a.c", "a.d", "a.e"].map((id) => [id, FALLEN["tls.days"]]));
  const [trouble] = checkTroubles({ ...SINCE, checks: many });
  assert.match(trouble?.detail ?? "", /^a\.a: .* a\.c: It expired\. and 2 more$/);
  assert.deepEqual(trouble?.about, Object.keys(many));
});

test("the checks run if they are enabled, and their results are used", async () => {
  const layout = temporaryLayout("checkRecord", "keeperSocket");
  const clock = new HandClock(NOW);
  const ended = Promise.withResolvers<string | null>();
  const run: RunBehind = () => ended.promise;
  const rules = { "checks.weekly": false };
  const schedule = createCheckJob(layout, clock, () => rules, run);
  assert.equal(schedule.look(), null);
  assert.deepEqual(readCheckRecord(layout), NO_CHECKS);
  rules["checks.weekly"] = true;
  schedule.look();
  assert.equal(readCheckRecord(layout).since, NOW);
  clock.advance(10 * MINUTE_MS);
  const running = schedule.look();
  assert.equal(readCheckRecord(layout).triedAt, clock.now());
  ended.resolve("1");
  changeCheckRecord(layout, { at: clock.now(), checks: FALLEN });
  await running;
  assert.equal(schedule.look(), null);
  assert.equal(schedule.troubles()[0]?.code, "check_failed");
  changeCheckRecord(layout, { checks: {} });
  assert.deepEqual(schedule.troubles(), []);
});

/** Ten minutes after the first start. */
function scheduled(run: RunBehind) {
  const layout = temporaryLayout("checkRecord", "keeperSocket");
  changeCheckRecord(layout, { since: NOW, checks: {} });
  const clock = new HandClock(NOW + 10 * MINUTE_MS);
  const restarted = () => createCheckJob(layout, clock, () => ({ "checks.weekly": true }), run);
  return { layout, clock, schedule: restarted(), restarted };
}

test("a run that does not end is reported at once, and no other starts beside it; its end clears that", async () => {
  const ends: ((how: string | null) => void)[] = [];
  const limits: Parameters<RunBehind>[3][] = [];
  const run: RunBehind = (_, __, ___, limit) => {
    limits.push(limit);
    return new Promise((resolve) => ends.push(resolve));
  };
  const { clock, schedule } = scheduled(run);
  const first = schedule.look();
  assert.equal(limits[0]?.ms, HOUR_MS);
  assert.deepEqual(schedule.troubles(), []);
  clock.advance(HOUR_MS);
  limits[0]?.passed("it did not finish within 1 h");
  const detail = "the checks did not finish: it did not finish within 1 h";
  const reported = [{ code: "check_failed", detail, about: [""] }];
  assert.deepEqual(schedule.troubles(), reported);
  clock.advance(HOUR_MS);
  assert.equal(schedule.look(), first);
  ends[0]?.("SIGKILL");
  await first;
  assert.deepEqual(schedule.troubles(), reported);
  const second = schedule.look();
  assert.equal(ends.length, 2);
  ends[1]?.(null);
  await second;
  assert.deepEqual(schedule.troubles(), []);
});

test("a failed run is reported until all checks have run, even if the owner runs them", async () => {
  const { layout, clock, schedule, restarted } = scheduled(() => Promise.resolve("it was ended by SIGSEGV"));
  await schedule.look();
  assert.equal(schedule.troubles()[0]?.detail, "the checks did not finish: it was ended by SIGSEGV");
  assert.deepEqual(restarted().troubles(), schedule.troubles(), "a restart of the keeper does not end it");
  changeCheckRecord(layout, { checks: FALLEN });
  const both = "the checks did not finish: it was ended by SIGSEGV; tls.days: It expired.";
  assert.equal(schedule.troubles()[0]?.detail, both);
  changeCheckRecord(layout, { at: clock.now() + MINUTE_MS, checks: {} });
  assert.deepEqual(schedule.troubles(), []);
});
