import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import { eventsBetween, MOST_STEPS, pointBetween, spanOf } from "./stats.ts";

test("a step is as short as requested, within the chart's maximum number of steps", () => {
  const stepOf = (backMs: number, stepMs: number | null): number =>
    spanOf(later(NOON, -backMs), NOON, stepMs, NOON).stepMs;
  assert.equal(stepOf(HOUR_MS, null), MINUTE_MS);
  assert.equal(stepOf(DAY_MS, null), 5 * MINUTE_MS);
  assert.equal(stepOf(DAY_MS, MINUTE_MS), MINUTE_MS);
  assert.equal(stepOf(DAY_MS, 7 * MINUTE_MS), 7 * MINUTE_MS);
  assert.equal(stepOf(30 * DAY_MS, null), 6 * HOUR_MS);
  assert.equal(stepOf(30 * DAY_MS, MINUTE_MS), HOUR_MS, "then only hours are stored");
  assert.equal(stepOf(30 * DAY_MS, 100 * MINUTE_MS), 2 * HOUR_MS, "and no step splits an hour");
  assert.equal(stepOf(DAY_MS, 100 * MINUTE_MS), 100 * MINUTE_MS);
  for (const days of [1, 3, 60, 400, 4_000])
    assert.ok((days * DAY_MS) / stepOf(days * DAY_MS, MINUTE_MS) <= MOST_STEPS, `${days} days`);
});

test("steps start at the same times in every chart", () => {
  const { from, to } = spanOf(later(NOON, -HOUR_MS + 7), later(NOON, 3), 5 * MINUTE_MS, NOON);
  assert.deepEqual([from, to], [later(NOON, -HOUR_MS), later(NOON, 3)]);
});

test("sent mail is not counted as received, and counts are never negative", () => {
  const point = pointBetween(
    { EMAIL_ACCEPTED: 5, sent: 1, BAN: 7 },
    { EMAIL_ACCEPTED: 9, sent: 2, EMAIL_HELD: 1, CONNECT_REFUSED: 2, EMAIL_BLOCKED: 1, BAN: 6, LOGIN_REFUSED: 4 },
  );
  assert.deepEqual(point, {
    connections: 2,
    mails_in: 3,
    mails_out: 2,
    refused: 3,
    deferred: 0,
    logins: 0,
    logins_failed: 4,
    bans: 0,
  });
  assert.deepEqual(eventsBetween({ BAN: 7, sent: 1 }, { BAN: 7, CONNECT: 2, sent: 2 }), { CONNECT: 2 });
});
