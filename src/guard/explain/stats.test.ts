import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, T0 } from "../../../test/kit/api-kit.ts";
import { eventItem, NOON, WELL } from "../../../test/kit/samples.ts";
import type { EventItem } from "../../admin/declare/items.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import type { Queries } from "../storage-ports.ts";
import { eventsBetween, pointBetween, seriesOf, spanOf, statsOf, statsText } from "./stats.ts";

const NOT_ASKED = (): never => assert.fail("not for the overview");

/** Answers from a few rows and refuses other questions. */
const queries: Queries = {
  bans(now, asked) {
    assert.equal(now, T0);
    assert.deepEqual(asked, { limit: 3, cursor: null });
    return { items: [BAN], next: "7" };
  },
  events({ most, order }) {
    assert.equal(order, "newest_first");
    assert.equal(most, 50);
    return { items: [event(2), event(1)], next: 1 };
  },
  spamScores: NOT_ASKED,
  figures: {
    banCounts(now) {
      assert.equal(now, T0);
      return { engine: 99_990, fail2ban: 7, manual: 3 };
    },
    topIps(since, most) {
      assert.equal(most, 10);
      assert.equal(since, T0 - DAY_MS);
      return [{ ip: "203.0.113.7", mails: 11, connections: 3, rejected: 1 }];
    },
    top: NOT_ASKED,
    totals(at) {
      assert.ok(at === null || at === T0 - DAY_MS);
      return at === null ? { BAN: 3, CONNECT: 5, sent: 4 } : { BAN: 2, CONNECT: 5, sent: 3 };
    },
    totalsAt: NOT_ASKED,
  },
  banChanges: NOT_ASKED,
  name: NOT_ASKED,
  address: NOT_ASKED,
};

function event(id: number): EventItem {
  return eventItem("BAN", { id });
}

test("the overview has every field of the API contract, for the last 24 hours", () => {
  assert.deepEqual(statsOf(queries, WELL, T0, 3), {
    generatedAt: "2026-11-20T07:00:00.000Z",
    bans: { active: 100_000, items: [BAN], next: "7" },
    events: [event(2), event(1)],
    topIps: [{ ip: "203.0.113.7", mails: 11, connections: 3, rejected: 1 }],
    counts: { BAN: 1 },
    health: WELL,
  });
});

test("the overview of the API has at most three thousand bans", () => {
  const limits: number[] = [];
  statsText({ ...queries, bans: (_, { limit }) => (limits.push(limit), { items: [], next: null }) }, WELL, T0);
  assert.deepEqual(limits, [3_000]);
});

test("a step is as short as requested, within the chart's maximum number of steps", () => {
  const stepOf = (backMs: number, stepMs: number | null): number =>
    spanOf(later(NOON, -backMs), NOON, stepMs, NOON).stepMs;
  for (const [backMs, stepMs, expected] of [
    [300 * MINUTE_MS, null, MINUTE_MS],
    [301 * MINUTE_MS, null, 5 * MINUTE_MS],
    [DAY_MS, null, 5 * MINUTE_MS],
    [2 * DAY_MS, null, 10 * MINUTE_MS],
    [30 * DAY_MS, null, 6 * HOUR_MS],
    [100 * DAY_MS, null, DAY_MS],
    [400 * DAY_MS, null, 7 * DAY_MS],
    [4_000 * DAY_MS, null, 7 * DAY_MS],
    [DAY_MS, MINUTE_MS, MINUTE_MS],
    [1_500 * MINUTE_MS, MINUTE_MS, MINUTE_MS],
    [1_501 * MINUTE_MS, MINUTE_MS, 5 * MINUTE_MS],
    [DAY_MS, 7 * MINUTE_MS, 7 * MINUTE_MS],
    [DAY_MS, 100 * MINUTE_MS, 100 * MINUTE_MS],
  ] as const)
    assert.equal(stepOf(backMs, stepMs), expected);
  assert.equal(stepOf(30 * DAY_MS, MINUTE_MS), HOUR_MS, "then only hours are stored");
  assert.equal(stepOf(30 * DAY_MS, 100 * MINUTE_MS), 2 * HOUR_MS, "and no step splits an hour");
});

test("steps start at the same times in every chart", () => {
  const { from, to } = spanOf(later(NOON, -HOUR_MS + 7), later(NOON, 3), 5 * MINUTE_MS, NOON);
  assert.deepEqual([from, to], [later(NOON, -HOUR_MS), later(NOON, 3)]);
});

test("a chart that ends where only hours are stored includes its whole last hour; a later one includes nothing after its end", () => {
  const endOf = (backMs: number): number => spanOf(later(NOON, -4 * DAY_MS), later(NOON, -backMs), null, NOON).to;
  assert.equal(endOf(3 * DAY_MS + 10 * MINUTE_MS), NOON - 3 * DAY_MS);
  assert.equal(endOf(3 * DAY_MS), NOON - 3 * DAY_MS);
  assert.equal(endOf(DAY_MS + 10 * MINUTE_MS), NOON - DAY_MS - 10 * MINUTE_MS);
});

test("each step of a chart counts what came between its two totals", () => {
  const totals = [1, 3, 3, 10].map((count) => ({ BAN: count }));
  const { bans } = seriesOf(
    { ...queries.figures, totalsAt: () => totals },
    spanOf(later(NOON, -HOUR_MS), NOON, null, NOON),
  );
  assert.deepEqual(bans, [2, 0, 7]);
});

test("neither sent mail nor mail that a filter refused counts as received, and counts are never negative", () => {
  const refused = { EMAIL_BLOCKED: 1, received_refused: 1, sent_refused: 1 };
  const mail = { EMAIL_ACCEPTED: 9, sent: 2, EMAIL_HELD: 1, EMAIL_DEFERRED: 2, ...refused };
  const point = pointBetween(
    { EMAIL_ACCEPTED: 5, sent: 1, BAN: 7, EMAIL_DEFERRED: 1 },
    { ...mail, CONNECT_REFUSED: 2, CONNECT_DEFERRED: 8, BAN: 6, LOGIN_REFUSED: 4 },
  );
  const mails = { connections: 10, mails_in: 2, mails_out: 1, refused: 3, deferred: 9 };
  assert.deepEqual(point, { ...mails, logins: 0, logins_failed: 4, bans: 0 });
  assert.deepEqual(eventsBetween({ BAN: 7, sent: 1 }, { BAN: 7, CONNECT: 2, sent: 2 }), { CONNECT: 2 });
});
