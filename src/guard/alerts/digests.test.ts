import assert from "node:assert/strict";
import { test } from "node:test";
import { alertsKit } from "../../../test/kit/alerts-kit.ts";
import type { ConditionCode } from "../../core/alerts/alerts.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

function holdings(code: ConditionCode, count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => ({ code, subject: `user${from + i}@example.test`, detail: "" }));
}
const opened = (code: ConditionCode, count: number, from = 0): readonly string[] =>
  holdings(code, count, from).map(({ subject }) => `a: opened ${code} ${subject}`);

test("with two alerts for each of fifty accounts, five of each are sent one by one, the others together after a minute", async () => {
  const { seconds, held, alerts, saved } = alertsKit();
  held.push(...holdings("account_held", 50), ...holdings("account_guarded", 50));
  const first = await seconds(MINUTE);
  assert.deepEqual(first.toSorted(), [...opened("account_held", 5), ...opened("account_guarded", 5)].toSorted());
  assert.equal(alerts.book.open.length, 100, "all are listed at once");
  assert.deepEqual(await seconds(10), ["a: digest"]);
  assert.deepEqual(saved.at(-1)?.deliveries, []);
});

test("within the hour further alerts are sent in one more digest, and the next hour starts with single ones", async () => {
  const { seconds, held } = alertsKit();
  held.push(...holdings("account_held", 7));
  assert.equal((await seconds(2 * MINUTE)).filter((reported) => reported === "a: digest").length, 1);
  for (let i = 0; i < 10; i++) {
    held.push(...holdings("account_held", 2, 100 + 2 * i));
    assert.deepEqual(await seconds(MINUTE), []);
  }
  assert.deepEqual(await seconds(50 * MINUTE), ["a: digest"], "an hour after the first");
  held.push(...holdings("account_held", 1, 200));
  assert.deepEqual(await seconds(HOUR), ["a: opened account_held user200@example.test"]);
});

test("many checks that fail at once are sent together too", async () => {
  const { seconds, notices } = alertsKit();
  const ids = Array.from({ length: 20 }, (_, i) => `tls.${i}`);
  notices.set("check_failed", "", ids);
  const opened = ids.slice(0, 5).map((id) => `a: opened check_failed ${id}`);
  assert.deepEqual(await seconds(2 * MINUTE), [...opened, "a: digest"]);
});

test("a single alert past the first five is sent on its own", async () => {
  const { seconds, held } = alertsKit();
  held.push(...holdings("account_held", 6));
  assert.deepEqual(await seconds(HOUR), opened("account_held", 6));
  held.push(...holdings("account_held", 1, 6));
  assert.deepEqual(await seconds(1), opened("account_held", 1, 6), "the next hour starts");
});

test("an alert that opens just as a digest is sent joins it", async () => {
  const { seconds, held } = alertsKit();
  held.push(...holdings("account_held", 7));
  await seconds(MINUTE);
  held.push(...holdings("account_held", 1, 7));
  assert.deepEqual(await seconds(2), ["a: digest"]);
});

test("a resolution never arrives before its alert; many are sent together", async () => {
  const { seconds, held } = alertsKit();
  held.push(...holdings("account_guarded", 8));
  assert.equal((await seconds(2 * MINUTE)).at(-1), "a: digest");
  held.push(...holdings("account_guarded", 2, 20));
  await seconds(1);
  // Resolved before the next digest is sent.
  held.splice(8, 2);
  assert.deepEqual(await seconds(30 * MINUTE), []);
  held.splice(0, 4);
  const ends = (await seconds(3 * MINUTE)).map((reported) => reported.replace(/ user.*/, ""));
  const ended = "a: resolved account_guarded";
  assert.deepEqual(ends, [ended, ended, ended], "two of the first five already wait, so only three of four are single");
  assert.deepEqual(await seconds(HOUR), ["a: digest"]);
});

test("a restart does not send another five alerts one by one, and sends the waiting ones", async () => {
  const before = alertsKit();
  before.held.push(...holdings("account_held", 9));
  await before.seconds(10);
  const after = alertsKit(before.saved.at(-1));
  after.held.push(...holdings("account_held", 12));
  after.clock.advance(10_000);
  assert.deepEqual(await after.seconds(2 * MINUTE), ["a: digest"]);
});

test("alerts about possible access to mail, and about changes through the web, never wait", async () => {
  for (const code of ["login_after_guesses", "password_guessed", "web_account"] as const) {
    const { seconds, held } = alertsKit();
    held.push(...holdings(code, 20));
    assert.equal((await seconds(MINUTE)).length, 20, code);
  }
});

test("after the clock was set back no alert waits longer than an hour", async () => {
  for (const back of [HOUR + MINUTE, HOUR + MINUTE + 1, 48 * HOUR]) {
    const wait = back === HOUR + MINUTE ? HOUR : MINUTE;
    const { seconds, held, clock } = alertsKit();
    held.push(...holdings("account_held", 7));
    await seconds(2 * MINUTE);
    clock.advance(-back * 1_000);
    held.push(...holdings("sending_limited", 7));
    assert.deepEqual(await seconds(wait), opened("sending_limited", 5), `${back}`);
    assert.deepEqual(await seconds(1), ["a: digest"], `${back}`);
  }
});
