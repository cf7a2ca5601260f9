import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { ListHealth, type Probe } from "./list-health.ts";

const EVERY_MS = 5 * MINUTE_MS;
const RIGHT: Probe = { type: "right", ipv6: false };
const SILENT: Probe = { type: "silent", why: "ETIMEOUT" };

function health(...probes: readonly Probe[]): { list: ListHealth; clock: HandClock } {
  const [list, clock] = [new ListHealth(EVERY_MS), new HandClock()];
  for (const probe of probes) list.probed(probe, clock.now());
  return { list, clock };
}

/** How long until it is asked again. */
function waits(list: ListHealth, clock: HandClock): number {
  let waitedMs = 0;
  for (; !list.isDue(clock.now()); waitedMs += SECOND_MS) clock.advance(SECOND_MS);
  return waitedMs;
}

test("a list is trusted only after its test points were right", () => {
  const { list, clock } = health();
  assert.ok(list.isDue(clock.now()));
  assert.ok(!list.serves(4));
  list.probed(RIGHT, clock.now());
  assert.ok(list.serves(4));
  assert.ok(!list.serves(6), "it has no test point for IPv6");
  assert.equal(waits(list, clock), EVERY_MS);
  list.probed({ type: "right", ipv6: true }, clock.now());
  assert.ok(list.serves(6));
});

test("right after the start a silent list is asked again soon, and disabled at the third time", () => {
  const { list, clock } = health(SILENT, SILENT);
  assert.equal(list.why, null);
  assert.equal(waits(list, clock), SECOND_MS);
  list.probed(SILENT, clock.now());
  assert.equal(list.why, "ETIMEOUT");
  assert.equal(waits(list, clock), 30 * SECOND_MS);
});

test("a list with wrong answers is disabled at once, and retried after twice as long each time", () => {
  const { list, clock } = health(RIGHT);
  const waited = Array.from({ length: 8 }, () => {
    list.probed({ type: "wrong", why: "it lists everybody" }, clock.now());
    assert.ok(!list.serves(4));
    return waits(list, clock) / SECOND_MS;
  });
  assert.deepEqual(waited, [30, 60, 120, 240, 480, 960, 1_920, 3_600]);
  list.probed(RIGHT, clock.now());
  assert.ok(list.serves(4));
  assert.equal(list.why, null);
  list.disable("again", clock.now());
  assert.equal(waits(list, clock), 30 * SECOND_MS, "past failures are forgotten");
});

test("missing answers are forgotten when the test points are right", () => {
  const { list, clock } = health(RIGHT);
  for (let i = 0; i < 2; i++) list.answered("ETIMEOUT", clock.now());
  list.probed(RIGHT, clock.now());
  for (let i = 0; i < 2; i++) list.answered("ETIMEOUT", clock.now());
  assert.ok(list.serves(4));
  list.answered("ETIMEOUT", clock.now());
  assert.ok(!list.serves(4));
});

test("three missing answers among the last ten disable a list, two do not", () => {
  const { list, clock } = health(RIGHT);
  for (const missing of [true, ...Array<boolean>(7).fill(false), true, true])
    list.answered(missing ? "ETIMEOUT" : null, clock.now());
  assert.ok(!list.serves(4), "the first of ten counts");
  assert.equal(list.why, "ETIMEOUT");
  const other = health(RIGHT);
  for (const missing of [true, ...Array<boolean>(8).fill(false), true, true])
    other.list.answered(missing ? "ETIMEOUT" : null, other.clock.now());
  assert.ok(other.list.serves(4), "the first of eleven does not");
});

test("a disabled list stays disabled, with its reason, whatever single questions return", () => {
  const { list, clock } = health(RIGHT, { type: "wrong", why: "it lists everybody" });
  for (let i = 0; i < 9; i++) list.answered("ETIMEOUT", clock.now());
  assert.equal(list.why, "it lists everybody");
  assert.equal(waits(list, clock), 30 * SECOND_MS);
  list.probed(SILENT, clock.now());
  assert.equal(list.why, "ETIMEOUT", "its test points show the current failure");
  assert.equal(waits(list, clock), 60 * SECOND_MS);
  for (let i = 0; i < 3; i++) list.answered(null, clock.now());
  list.probed(RIGHT, clock.now());
  list.answered("ETIMEOUT", clock.now());
  list.answered("ETIMEOUT", clock.now());
  assert.ok(list.serves(4), "answers while it was disabled do not count");
});

test("a list that is checked seldom or often waits at most its usual time", () => {
  const seldom = new ListHealth(120 * MINUTE_MS);
  const clock = new HandClock();
  for (let i = 0; i < 20; i++) seldom.disable("wrong", clock.now());
  assert.equal(waits(seldom, clock), 120 * MINUTE_MS);
  const often = new ListHealth(500);
  often.probed(SILENT, clock.now());
  clock.advance(499);
  assert.ok(!often.isDue(clock.now()));
  clock.advance(1);
  assert.ok(often.isDue(clock.now()));
});
