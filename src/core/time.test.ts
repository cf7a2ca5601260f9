import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  compactTime,
  DAY_MS,
  dayAndTime,
  formatDuration,
  HOUR_MS,
  instant,
  isoTime,
  MINUTE_MS,
  parseDuration,
  parseTime,
  span,
  until,
} from "./time.ts";

const durations: readonly (readonly [text: string, durationMs: number])[] = [
  ["500ms", 500],
  ["45s", 45_000],
  ["30m", 1_800_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  [" 1d ", 86_400_000],
  ["0s", 0],
  ["36500d", 3_153_600_000_000],
];
for (const [text, durationMs] of durations)
  test(`parseDuration of ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), durationMs));
for (const text of ["36501d", "999999999d", "", "30", "m", "-30m", "1.5h", "30 m", "30M", "1h30m", "1e3s", "1w"])
  test(`not a duration: ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), null));

test("a duration is printed in its largest whole unit", () => {
  const shortest = [0, 1, 1_500, MINUTE_MS, 90 * MINUTE_MS, 2 * HOUR_MS, DAY_MS].map(formatDuration);
  assert.deepEqual(shortest, ["0ms", "1ms", "1500ms", "1m", "90m", "2h", "1d"]);
});

test("a printed duration is read as the same duration", () => {
  fc.assert(
    fc.property(fc.nat(99_999), fc.constantFrom("ms", "s", "m", "h"), (amount, unit) => {
      const durationMs = parseDuration(`${amount}${unit}`);
      assert.ok(durationMs !== null);
      assert.equal(parseDuration(formatDuration(durationMs)), durationMs);
    }),
  );
});

test("a time in a file name is short and sortable", () =>
  assert.equal(compactTime(instant(Date.UTC(2026, 10, 21, 3, 15, 0, 999))), "20261121T031500Z"));

for (const [text, iso] of [
  ["2026-11-21", "2026-11-21T00:00:00.000Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ["2026-11-21T08:00Z", "2026-11-21T08:00:00.000Z"],
  ["2026-11-21T08:00:00.5+01:00", "2026-11-21T07:00:00.500Z"],
  ["2026-12-31T23:59:59-02:00", "2027-01-01T01:59:59.000Z"],
] as const)
  test(`the time ${text} is ${iso}`, () => assert.equal(isoTime(parseTime(text) ?? assert.fail()), iso));

for (const [why, texts] of Object.entries({
  "there is no such day": ["2027-02-29", "2027-02-30T10:00:00Z", "2027-04-31", "2027-13-01"],
  "a day ends at 24:00": ["2027-01-01T24:01:00Z"],
  "it has no time zone": ["2027-01-01T08:00:00"],
  "it is incomplete or no date at all": ["2027-01-01T", "tomorrow", ""],
}))
  for (const text of texts)
    test(`not a time, because ${why}: ${JSON.stringify(text)}`, () => assert.equal(parseTime(text), null));

test("times and spans are shown as people read them", () => {
  assert.equal(dayAndTime("2026-11-20T07:05:01.000Z"), "2026-11-20 07:05:01 UTC");
  const spans = [59, 60, 3_540, 3_600, 7_140, 7_500, 82_800, 86_400, 342_000].map((s) => span(s * 1_000));
  assert.equal(spans.join(", "), "59 s, 1 min, 59 min, 1 h, 1 h 59 min, 2 h 5 min, 23 h, 1 d, 3 d 23 h");
  assert.equal(span(-5_000), "0 s");
  assert.equal(until(null, 0), "permanently");
  assert.equal(until("1970-01-01T00:02:00.000Z", MINUTE_MS), "until 1970-01-01 00:02:00 UTC (1 min left)");
});
