import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { isNightDue, lastNight, nextNight } from "./job.ts";

const at = (text: string): number => Date.parse(text);

describe("nights in Berlin", () => {
  const formerZone = process.env["TZ"];
  before(() => {
    process.env["TZ"] = "Europe/Berlin";
  });
  after(() => {
    if (formerZone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = formerZone;
  });

  test("the last night started at its hour, not after now, and the next one starts after now", () => {
    const two = at("2026-11-21T02:00+01:00");
    for (const now of [two, two + MINUTE_MS, two + DAY_MS - 1]) {
      assert.equal(lastNight(2, now), two);
      assert.equal(nextNight(2, now), two + DAY_MS);
    }
  });

  test("nothing starts again in the repeated hour at the end of summer time", () => {
    const two = at("2026-10-25T02:00+02:00");
    for (let now: number = two; now < two + 25 * HOUR_MS; now += MINUTE_MS) assert.equal(lastNight(2, now), two);
    assert.equal(nextNight(2, two), two + 25 * HOUR_MS);
  });

  test("an hour that daylight saving time skips is replaced by the next one, once", () => {
    const nights = new Set<number>();
    for (let now = at("2026-03-28T03:00+01:00"); now < at("2026-03-30T03:00+02:00"); now += MINUTE_MS)
      nights.add(lastNight(2, now));
    assert.deepEqual(
      [...nights],
      ["2026-03-28T02:00+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"].map(at),
    );
  });
});

const THREE = new Date(2026, 10, 20, 3, 0, 0).getTime();
const NONE = { last: null, failure: null, since: THREE - 5 * DAY_MS };
const done = (at: number) => ({ at });

for (const { what, record, now, expected } of [
  { what: "the first night", record: NONE, now: THREE, expected: true },
  {
    what: "a server that was set up at noon waits for the night",
    record: { ...NONE, since: THREE + 9 * HOUR_MS },
    now: THREE + 12 * HOUR_MS,
    expected: false,
  },
  {
    what: "before the hour, with last night's made",
    record: { ...NONE, last: done(THREE - DAY_MS) },
    now: THREE - MINUTE_MS,
    expected: false,
  },
  { what: "after the hour", record: { ...NONE, last: done(THREE - DAY_MS) }, now: THREE + MINUTE_MS, expected: true },
  { what: "once a night", record: { ...NONE, last: done(THREE) }, now: THREE + HOUR_MS, expected: false },
  {
    what: "a machine that slept makes it when it wakes",
    record: { ...NONE, last: done(THREE - DAY_MS) },
    now: THREE + 8 * HOUR_MS,
    expected: true,
  },
  {
    what: "not at once after a failure",
    record: { ...NONE, failure: { at: THREE, reason: "" } },
    now: THREE + MINUTE_MS,
    expected: false,
  },
  {
    what: "one that was made while the clock was ahead does not count",
    record: { ...NONE, last: done(THREE + 90 * DAY_MS) },
    now: THREE + MINUTE_MS,
    expected: true,
  },
  {
    what: "nor does one that failed while the clock was ahead",
    record: { ...NONE, failure: { at: THREE + 90 * DAY_MS, reason: "" } },
    now: THREE + MINUTE_MS,
    expected: true,
  },
  {
    what: "again an hour after it",
    record: { ...NONE, failure: { at: THREE, reason: "" } },
    now: THREE + HOUR_MS,
    expected: true,
  },
])
  test(`whether a nightly run is due: ${what}`, () => assert.equal(isNightDue(record, 3, now), expected));
