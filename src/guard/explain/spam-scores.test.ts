import assert from "node:assert/strict";
import { test } from "node:test";
import { eventItem, NOON } from "../../../test/kit/samples.ts";
import { DAY_MS, isoTime, later } from "../../core/time.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";
import { spamScores } from "./questions.ts";

/** `daysAgo` of each mail, oldest first, and whether it was spam. */
function queriesOf(...mails: readonly (readonly [daysAgo: number, isSpam: boolean])[]) {
  const items = mails.map(([daysAgo, isSpam], i) => {
    const reported = { verdict: isSpam ? "mark" : "pass", messageId: `<${i}@x>`, recipient: "anna@example.test" };
    return eventItem("SPAM_SCORED", { ...reported, id: i + 1, at: isoTime(later(NOON, -daysAgo * DAY_MS)) });
  });
  return {
    events: ({ types, before = Number.POSITIVE_INFINITY, most }: EventFilter): EventPage => {
      assert.deepEqual(types, ["SPAM_SCORED"]);
      const found = items.filter(({ id }) => id < before).toReversed();
      const page = found.slice(0, most);
      return { items: page, next: page.length < found.length ? (page.at(-1)?.id ?? null) : null };
    },
    spamScores: (ids: readonly number[]) =>
      new Map(ids.filter((id) => id > 1).map((id) => [id, { score: id + 0.5, required: 5 }])),
  };
}

test("a page has each mail's score, if it was noted, and the first page also has the days", () => {
  const queries = queriesOf([15, true], [1, true], [1, false], [0, false], [0, true], [1, false]);
  const first = spamScores(queries, NOON, { limit: 4, cursor: null });
  const shown = first.items.map(({ id, isSpam, score, required }) => [id, isSpam, score, required]);
  assert.deepEqual(shown, [
    [6, false, 6.5, 5],
    [5, true, 5.5, 5],
    [4, false, 4.5, 5],
    [3, false, 3.5, 5],
  ]);
  assert.equal(first.next, "3");
  assert.deepEqual(first.days, [
    { day: "2026-11-20", scored: 2, spam: 1 },
    { day: "2026-11-19", scored: 3, spam: 1 },
  ]);
  assert.equal(first.complete, true);
  const second = spamScores(queries, NOON, { limit: 4, cursor: 3 });
  const rest = second.items.map(({ id, score }) => [id, score]);
  assert.deepEqual(rest, [
    [2, 2.5],
    [1, null],
  ]);
  assert.deepEqual([second.next, second.days, second.complete], [null, [], true]);
});

test("the days are today and the thirteen before", () => {
  const mails = Array.from({ length: 15 }, (_, i) => [i === 0 ? 14 : 14.25 - i, true] as const);
  const { days } = spamScores(queriesOf(...mails), NOON, { limit: 1, cursor: null });
  assert.deepEqual([days.length, days[0]?.day, days.at(-1)?.day], [14, "2026-11-20", "2026-11-07"]);
});

test("no more than 5,000 mails are counted, and the answer says so", () => {
  const counted = spamScores(queriesOf(...Array.from({ length: 5_001 }, () => [0, true] as const)), NOON, {
    limit: 1,
    cursor: null,
  });
  assert.deepEqual([counted.days, counted.complete], [[{ day: "2026-11-20", scored: 5_000, spam: 5_000 }], false]);
});
