import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import type { Outcome } from "../ports.ts";
import { createHeartbeat } from "./health-watch.ts";

function kit() {
  const clock = new HandClock();
  const warned: unknown[] = [];
  const state: { beats: number; isWell: boolean; outcome: Outcome } = { beats: 0, isWell: true, outcome: { ok: true } };
  const heartbeat = createHeartbeat({
    ping: () => {
      state.beats += 1;
      return Promise.resolve(state.outcome);
    },
    isWell: () => state.isWell,
    clock,
    log: { ...SILENT, warn: (...what) => warned.push(what) },
  });
  return { clock, warned, state, heartbeat };
}
const ABSENT: Outcome = { ok: false, reason: "it answered 404" };

test("sends heartbeats while the server is healthy, and logs an absent watcher once", async () => {
  const { clock, warned, state, heartbeat } = kit();
  const minutes = async (count: number, everyMs: number | null = 60_000): Promise<number> => {
    const before = state.beats;
    for (let i = 0; i < count * 60; i++) {
      await heartbeat.round(everyMs);
      clock.advance(1_000);
    }
    return state.beats - before;
  };
  assert.equal(await minutes(5), 5);
  assert.equal(await minutes(5, null), 0, "no watcher is set");
  state.isWell = false;
  assert.equal(await minutes(5), 0);
  state.isWell = true;
  state.outcome = ABSENT;
  assert.equal(await minutes(5), 5);
  assert.equal(warned.length, 1);
});

test("sends a heartbeat exactly at its time, and logs a failure again after a success", async () => {
  const { clock, warned, state, heartbeat } = kit();
  state.outcome = ABSENT;
  const after = async (ms: number): Promise<number> => {
    clock.advance(ms);
    await heartbeat.round(60_000);
    return state.beats;
  };
  assert.equal(await after(0), 1);
  assert.equal(await after(59_999), 1);
  assert.equal(await after(1), 2);
  assert.equal(await after(-60_000), 3, "even if the clock was set back");
  assert.deepEqual(warned, [["The watcher of the heartbeat does not answer.", { why: "it answered 404" }]]);
  state.outcome = { ok: true };
  await after(60_000);
  state.outcome = ABSENT;
  await after(60_000);
  assert.equal(warned.length, 2);
});
