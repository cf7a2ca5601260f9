import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../test/kit/engine-kit.ts";
import { MINUTE_MS, SECOND_MS } from "../core/time.ts";
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

test("a list is believed after its test points were right, and not before", () => {
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

test("right after the start a silent list is asked again soon, and set aside at the third time", () => {
  const { list, clock } = health(SILENT, SILENT);
  assert.equal(list.why, null);
  assert.equal(waits(list, clock), SECOND_MS);
  list.probed(SILENT, clock.now());
  assert.equal(list.why, "ETIMEOUT");
});

test("three answers missing among ten set it aside, two do not", () => {
  const { list, clock } = health(RIGHT);
  const missing = [true, ...Array<boolean>(8).fill(false), true, ...Array<boolean>(8).fill(false), true];
  for (const one of missing) list.answered(one ? "ETIMEOUT" : null, clock.now());
  assert.ok(list.serves(4));
  for (let i = 0; i < 2; i++) list.answered("ETIMEOUT", clock.now());
  assert.ok(!list.serves(4));
  assert.equal(list.why, "ETIMEOUT");
});

test("one that is wrong is set aside at once, and tried again after twice as long each time", () => {
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
  list.setAside("again", clock.now());
  assert.equal(waits(list, clock), 30 * SECOND_MS, "what is over is forgotten");
});
