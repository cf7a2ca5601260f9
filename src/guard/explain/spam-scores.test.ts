import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "../../../test/kit/event-rows.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { DAY_MS, isoTime, later } from "../../core/time.ts";
import { spamScores } from "./spam-scores.ts";

/** `daysAgo` of each mail, oldest first, and whether it was spam. */
function scored(...mails: readonly (readonly [daysAgo: number, isSpam: boolean])[]) {
  const rows = mails.map(([daysAgo, isSpam]) => {
    const at = isoTime(later(NOON, -daysAgo * DAY_MS));
    return { type: "SPAM_SCORED", verdict: isSpam ? "mark" : "pass", at };
  });
  const spamScores = (ids: readonly number[]) =>
    new Map(ids.filter((id) => id > 1).map((id) => [id, { score: id + 0.5, required: 5 }]));
  return { ...eventsOf([...rows, { type: "CONNECT" }]), spamScores };
}

test("a page has each mail's score, if it was noted, and the first page also has the days", () => {
  const queries = scored([15, true], [1, true], [1, false], [0, false], [0, true], [1, false]);
  const first = spamScores(queries, NOON, { limit: 4, cursor: null });
  const shown = first.items.map(({ id, isSpam, score, required }) => `${id} ${isSpam} ${score} of ${required}`);
  assert.deepEqual(shown, ["6 false 6.5 of 5", "5 true 5.5 of 5", "4 false 4.5 of 5", "3 false 3.5 of 5"]);
  assert.deepEqual(first.days, [
    { day: "2026-11-20", scored: 2, spam: 1 },
    { day: "2026-11-19", scored: 3, spam: 1 },
  ]);
  assert.partialDeepStrictEqual(first, { next: "3", complete: true });
  const second = spamScores(queries, NOON, { limit: 4, cursor: 3 });
  const rest = second.items.map(({ id, score, required }) => `${id} ${score} of ${required}`);
  assert.deepEqual(rest, ["2 2.5 of 5", "1 null of null"]);
  assert.partialDeepStrictEqual(second, { next: null, complete: true });
  assert.deepEqual(second.days, []);
});

test("the days are today and the thirteen before", () => {
  const mails = Array.from({ length: 15 }, (_, i) => [i === 0 ? 14 : 14.25 - i, true] as const);
  const { days } = spamScores(scored(...mails), NOON, { limit: 1, cursor: null });
  assert.deepEqual([days.length, days[0]?.day, days.at(-1)?.day], [14, "2026-11-20", "2026-11-07"]);
  const sparse = spamScores(scored([13.6, true], [13.5, true], [13.4, true], [0, true]), NOON, {
    limit: 1,
    cursor: null,
  });
  assert.deepEqual(sparse.days.at(-1), { day: "2026-11-07", scored: 2, spam: 2 }, "the first day is whole");
  const ahead = scored(...Array.from({ length: 16 }, (_, i) => [13 - i, true] as const));
  assert.equal(spamScores(ahead, NOON, { limit: 1, cursor: null }).days.length, 14, "the clock was set back");
});

test("no more than 5,000 mails are counted, and the answer says so", () => {
  const mails = Array.from({ length: 5_001 }, () => [0, true] as const);
  const counted = spamScores(scored(...mails), NOON, { limit: 1, cursor: null });
  assert.deepEqual(counted.days, [{ day: "2026-11-20", scored: 5_000, spam: 5_000 }]);
  assert.equal(counted.complete, false);
});
