import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { duePeriod, type MailRecord, type ReportSettings, withPeriod } from "./records.ts";

const WEEKLY: ReportSettings = { "report.mail": "weekly", "report.hour": 7 };
const MONTHLY: ReportSettings = { "report.mail": "monthly", "report.hour": 7 };
const FRIDAY = new Date(2026, 10, 20, 12).getTime();
const chosen: MailRecord = { schedule: "weekly", done: ["2026-11-16"], last: null, failure: null };

function due(record: MailRecord, settings: ReportSettings, now: number): string | null {
  const found = duePeriod(record, settings, now);
  return found === null ? null : `${found.period}${found.isNew ? " new" : ""}`;
}

/** Checks each hour as the keeper does, and sends. */
function sent(times: readonly number[], settings = WEEKLY, from = chosen): readonly string[] {
  let record = from;
  const mails: string[] = [];
  for (const now of times) {
    const period = duePeriod(record, settings, now)?.period;
    if (period === undefined) continue;
    mails.push(period);
    record = { ...record, done: [...withPeriod(record, period)] };
  }
  return mails;
}

function hours(from: number, days: number): readonly number[] {
  return Array.from({ length: 24 * days }, (_, i) => from + i * HOUR_MS);
}

test("sends a report each Monday at its hour, or on the first of a month", () => {
  assert.deepEqual(sent(hours(FRIDAY, 28)), ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"]);
  assert.equal(due(chosen, WEEKLY, new Date(2026, 10, 23, 6, 59).getTime()), null);
  assert.equal(due(chosen, WEEKLY, new Date(2026, 10, 23, 7).getTime()), "2026-11-23");
  const monthly = { ...chosen, schedule: "monthly", done: ["2026-11-01"] };
  assert.deepEqual(sent(hours(FRIDAY, 80), MONTHLY, monthly), ["2026-12-01", "2027-01-01", "2027-02-01"]);
});

test("sends none while reports are off, nor for the time before they were switched on", () => {
  assert.equal(due(chosen, { ...WEEKLY, "report.mail": "off" }, FRIDAY + 9 * DAY_MS), null);
  assert.equal(due({ ...chosen, schedule: "", done: [] }, WEEKLY, FRIDAY), "2026-11-16 new");
  assert.equal(due(chosen, MONTHLY, FRIDAY), "2026-11-01 new");
});

test("a clock that jumps ahead and back sends each period once, and skips none", () => {
  const ahead = hours(FRIDAY + 60 * DAY_MS, 1);
  const mails = sent([...hours(FRIDAY, 5), ...ahead, ...hours(FRIDAY + 5 * DAY_MS, 70)]);
  const ofYear = mails.filter((one) => one < "2027-01-01");
  assert.deepEqual(ofYear, ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]);
  assert.equal(mails.filter((one) => one === "2026-11-23").length, 1);
});

test("after a failure it retries each hour, whatever the clock does", () => {
  const monday = new Date(2026, 10, 23, 8).getTime();
  const failed = { ...chosen, failure: { at: monday, reason: "no room" } };
  assert.equal(due(failed, WEEKLY, monday + HOUR_MS - 1), null);
  assert.equal(due(failed, WEEKLY, monday + HOUR_MS), "2026-11-23");
  assert.equal(due({ ...failed, failure: { at: monday + 9 * DAY_MS, reason: "-" } }, WEEKLY, monday), "2026-11-23");
});
