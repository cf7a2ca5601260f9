import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "../../core/time.ts";
import type { RunBehind } from "../job.ts";
import { changeMailRecord, type ReportSettings, readMailRecord, withPeriod } from "./records.ts";
import { createReportJob } from "./report-job.ts";

const WEEKLY: ReportSettings = { "report.mail": "weekly", "report.hour": 7 };
const FRIDAY = new Date(2026, 10, 20, 12).getTime();

function keeper(fails = false) {
  const layout = temporaryLayout("reportsMailed");
  const clock = { at: FRIDAY, jumped: false, now: () => instant(clock.at), jump: () => (clock.jumped ? {} : null) };
  const made: string[] = [];
  const inForce = { rules: WEEKLY };
  const job = (run: RunBehind) => createReportJob(layout, clock, () => inForce.rules, run);
  const schedule = () =>
    job((_, name, args) => {
      assert.equal(name, "report");
      const [period = ""] = args ?? [];
      made.push(period);
      if (!fails) changeMailRecord(layout, { done: [...withPeriod(readMailRecord(layout), period)], failure: null });
      return Promise.resolve(fails ? "no room" : null);
    });
  return { layout, clock, made, inForce, job, schedule };
}

test("the first report is sent when the next week starts, once, even across a restart", async () => {
  const { clock, made, schedule } = keeper();
  for (let i = 0; i < 20; i++) {
    clock.at = FRIDAY + (i * DAY_MS) / 4;
    await schedule().look();
  }
  assert.deepEqual(made, ["2026-11-23"]);
});

test("no report is sent while the clock may be years behind, and none is repeated afterwards", async () => {
  const { clock, made, schedule } = keeper();
  await schedule().look();
  clock.at += 4 * DAY_MS;
  await schedule().look();
  Object.assign(clock, { at: new Date(2023, 2, 10, 12).getTime(), jumped: true });
  assert.equal(schedule().look(), null);
  Object.assign(clock, { at: FRIDAY + 5 * DAY_MS, jumped: false });
  await schedule().look();
  assert.deepEqual(made, ["2026-11-23"]);
});

test("a failure is reported until a report is sent, but not while reports are off", async () => {
  const { clock, inForce, schedule, layout } = keeper(true);
  const one = schedule();
  await one.look();
  assert.deepEqual(one.troubles(), []);
  clock.at += 4 * DAY_MS;
  await one.look();
  assert.deepEqual(one.troubles(), [{ code: "report_unsent", detail: "no room" }]);
  inForce.rules = { ...WEEKLY, "report.mail": "off" };
  assert.deepEqual(one.troubles(), []);
  inForce.rules = WEEKLY;
  changeMailRecord(layout, { failure: null });
  assert.deepEqual(one.troubles(), []);
});

test("a killed report is retried an hour later, even if the failure could not be noted", async () => {
  const { layout, clock, job } = keeper();
  changeMailRecord(layout, { schedule: "weekly" });
  let started = 0;
  const killed = job(() => {
    started += 1;
    return Promise.resolve("it was ended by SIGKILL");
  });
  const reported = [{ code: "report_unsent", detail: "it was ended by SIGKILL" }];
  await killed.look();
  assert.equal(readMailRecord(layout).failure?.at, clock.at);
  assert.deepEqual(killed.troubles(), reported);
  // Root refuses to write where others could write.
  chmodSync(layout.report, 0o777);
  clock.at += HOUR_MS;
  for (const after of [0, MINUTE_MS, HOUR_MS]) {
    clock.at += after;
    await killed.look();
    assert.deepEqual(killed.troubles(), reported);
  }
  assert.equal(started, 3);
});

test("a report that was sent but could not be noted is not sent again", async () => {
  const { layout, clock, job } = keeper();
  changeMailRecord(layout, { schedule: "weekly" });
  const made: (string | undefined)[] = [];
  const one = job((_, __, args) => {
    made.push(args?.[0]);
    return Promise.resolve(null);
  });
  for (const after of [0, HOUR_MS, 7 * DAY_MS]) {
    clock.at += after;
    await one.look();
  }
  assert.deepEqual(made, ["2026-11-16", "2026-11-23"]);
});

test("a report that does not end is reported after an hour, and no other starts beside it", async () => {
  const { layout, clock, job } = keeper();
  changeMailRecord(layout, { schedule: "weekly" });
  const limits: Parameters<RunBehind>[3][] = [];
  const killed = Promise.withResolvers<string>();
  const stuck = job((_, __, ___, limit) => {
    limits.push(limit);
    return killed.promise;
  });
  const running = stuck.look();
  assert.ok(running !== null);
  assert.equal(limits[0]?.ms, HOUR_MS);
  clock.at += HOUR_MS;
  limits[0]?.passed("it did not finish within 1 h");
  const reported = [{ code: "report_unsent", detail: "it did not finish within 1 h" }];
  assert.deepEqual(stuck.troubles(), reported);
  clock.at += HOUR_MS;
  assert.equal(stuck.look(), running);
  killed.resolve("it was ended by SIGKILL");
  await running;
  assert.deepEqual(stuck.troubles(), reported);
  assert.equal(limits.length, 1);
  assert.notEqual(stuck.look(), null, "it is retried");
});
