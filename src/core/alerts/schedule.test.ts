import assert from "node:assert/strict";
import { test } from "node:test";
import { setZone } from "../../../test/kit/time-zone.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, type Millis } from "../time.ts";
import { afterQuiet, GIVE_UP_MS, notifyAt, parseQuietHours, retryMs, type Schedule } from "./schedule.ts";

const at = (iso: string): Millis => instant(Date.parse(iso));
const quietUntil = (iso: string, schedule: Schedule): string => isoTime(afterQuiet(at(iso), schedule));
const night: Schedule = { quiet: { from: 22 * 60, to: 7 * 60 }, timeZone: "UTC", digestMs: 24 * HOUR_MS };

test("quiet hours are two different times of the day", () => {
  assert.deepEqual(parseQuietHours("22:15-07:30"), { from: 1_335, to: 450 });
  for (const wrong of ["", "22-7", "24:00-07:00", "22:60-07:00", "22:00-22:00", "22:00 - 07:00", "22:00-07:00x"])
    assert.equal(parseQuietHours(wrong), null, wrong);
});

test("in quiet hours, everything except critical alerts waits for their end, also past midnight", () => {
  const reported = (iso: string): string => isoTime(notifyAt("warning", at(iso), night));
  const end = "2026-01-02T07:00:00.000Z";
  assert.deepEqual(["2026-01-01T22:00:00Z", "2026-01-02T06:59:30Z"].map(reported), [end, end]);
  for (const loud of ["2026-01-01T21:59:59.000Z", end, "2026-01-02T07:00:30.000Z"]) assert.equal(reported(loud), loud);
  assert.equal(notifyAt("critical", at("2026-01-01T23:00:00Z"), night), at("2026-01-01T23:00:00Z"));
  assert.equal(notifyAt("warning", at("2026-01-01T23:00:00Z"), { ...night, quiet: null }), at("2026-01-01T23:00:00Z"));
});

test("information is collected for the digest, which respects quiet hours too", () => {
  assert.equal(isoTime(notifyAt("info", at("2026-01-01T12:00:00Z"), night)), "2026-01-02T12:00:00.000Z");
  assert.equal(isoTime(notifyAt("info", at("2026-01-01T23:00:00Z"), night)), "2026-01-03T07:00:00.000Z");
  assert.equal(notifyAt("info", at("2026-01-01T12:00:00Z"), { ...night, digestMs: 0 }), at("2026-01-01T12:00:00Z"));
});

test("quiet hours are those of the time zone, in summer and in winter", () => {
  const berlin = { ...night, timeZone: "Europe/Berlin" };
  assert.equal(quietUntil("2026-01-01T21:30:00Z", berlin), "2026-01-02T06:00:00.000Z");
  assert.equal(quietUntil("2026-07-01T20:30:00Z", berlin), "2026-07-02T05:00:00.000Z");
  const day = { ...night, quiet: { from: 60, to: 120 } };
  for (const quiet of ["01:00:00", "01:30:00", "02:00:00"])
    assert.equal(quietUntil(`2026-01-01T${quiet}Z`, day), "2026-01-01T02:00:00.000Z", quiet);
  for (const loud of ["2026-01-01T00:59:59.000Z", "2026-01-01T02:00:30.000Z"])
    assert.equal(quietUntil(loud, day), loud);
});

test("quiet hours end on time in the nights when summer time starts and ends", () => {
  const berlin = { ...night, timeZone: "Europe/Berlin" };
  assert.equal(quietUntil("2026-03-28T22:00:00Z", berlin), "2026-03-29T05:00:00.000Z");
  assert.equal(quietUntil("2026-10-24T21:00:00Z", berlin), "2026-10-25T06:00:00.000Z");
  const skipped = { ...berlin, quiet: { from: 22 * 60, to: 150 } };
  assert.equal(quietUntil("2026-03-29T00:45:00Z", skipped), "2026-03-29T01:30:00.000Z", "02:30 does not exist");
  const midnight = { ...night, timeZone: "Africa/Cairo", quiet: { from: 20 * 60, to: 0 } };
  assert.equal(quietUntil("2026-10-29T19:00:00Z", midnight), "2026-10-29T22:00:00.000Z");
});

test("without a time zone quiet hours are those of the machine", (t) => {
  t.after(setZone("Asia/Tokyo"));
  assert.equal(quietUntil("2026-01-01T13:30:00Z", { ...night, timeZone: "" }), "2026-01-01T22:00:00.000Z");
});

test("attempts wait from 5 s, doubling to 30 min, and end after 3 days", () => {
  assert.deepEqual([1, 2, 3, 20, 5_000].map(retryMs), [5_000, 10_000, 20_000, 1_800_000, 1_800_000]);
  assert.equal(GIVE_UP_MS, 3 * DAY_MS);
});
