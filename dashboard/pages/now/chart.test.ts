import assert from "node:assert/strict";
import { test } from "node:test";
import { type Figures, figures } from "../../live.ts";
import { onNewCounts, pointsOf, roundUp } from "./chart.ts";

const BOX = { width: 100, height: 50 };

test("a line goes from the left edge to the right one, the highest value at the top", () => {
  assert.equal(pointsOf([0, 5, 10], 10, BOX), "0,50 50,25 100,0");
  assert.equal(pointsOf([0, 0], 0, BOX), "0,50 100,50");
  assert.equal(pointsOf([], 1, BOX), "");
});

test("a scale ends at a round number", () => {
  assert.deepEqual([0, 1, 3, 7, 11, 20, 480, 5_001].map(roundUp), [1, 1, 5, 10, 20, 20, 500, 10_000]);
});

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;

/** As the stream sends them: each message has its time. */
function figuresWith(mails: number): Figures {
  const day = { mails_in: mails, refused: 0, deferred: 0, logins: 0, logins_failed: 0 };
  const at = new Date().toISOString();
  return Object.assign({ bans: 0, day }, { at, hour: day, minutes: [{ at, ...day }] });
}

test("what is counted is read again once a minute at most, and only after news", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  let passed = 0;
  t.mock.method(performance, "now", () => passed);
  const page = { hidden: false };
  Object.assign(globalThis, { document: page });
  t.after(() => Reflect.deleteProperty(globalThis, "document"));
  figures.value = figuresWith(1);
  let read = 0;
  t.after(onNewCounts(() => (read += 1)));
  /** How often they have been read after this time, with this number of mails in the stream; null: it is gone. */
  const after = (ms: number, mails: number | null): number => {
    passed += ms;
    t.mock.timers.tick(ms);
    figures.value = mails === null ? null : figuresWith(mails);
    return read;
  };
  assert.equal(after(59_000, 2), 0);
  assert.equal(after(1_000, 2), 1, "a change within the minute is not forgotten");
  assert.equal(after(5_000, 3), 1);
  assert.equal(after(5_000, 2), 1);
  assert.equal(after(9 * MINUTE_MS, 2), 1, "nothing new");
  assert.equal(after(5 * MINUTE_MS, 2), 2, "a step of the chart has ended");
  assert.equal(after(MINUTE_MS, null), 2, "the stream is gone");
  page.hidden = true;
  assert.equal(after(MINUTE_MS, 4), 2, "no one looks");
  page.hidden = false;
  t.mock.timers.setTime(NOON - 60 * MINUTE_MS);
  assert.equal(after(5_000, 4), 3, "the clock was set back");
});
