import assert from "node:assert/strict";
import { test } from "node:test";
import { dayAndTime, shown, span, until } from "./time.ts";

test("times and spans are shown as people read them", () => {
  assert.equal(dayAndTime("2026-11-20T07:05:01.000Z"), "2026-11-20 07:05:01 UTC");
  assert.deepEqual([40_000, 720_000, 7_500_000, 7_200_000, 273_600_000, -1].map(span), [
    "40 s",
    "12 min",
    "2 h 5 min",
    "2 h",
    "3 d 4 h",
    "0 s",
  ]);
  assert.equal(until(null, 0), "for good");
  assert.equal(until("1970-01-01T00:01:00.000Z", 0), "until 1970-01-01 00:01:00 UTC (1 min left)");
});

test("a network of one address is shown without its length", () => {
  assert.deepEqual(["203.0.113.7/32", "203.0.113.0/24", "2001:db8::1/128", "2001:db8::/32"].map(shown), [
    "203.0.113.7",
    "203.0.113.0/24",
    "2001:db8::1",
    "2001:db8::/32",
  ]);
});
