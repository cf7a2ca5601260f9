import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import type { Outcome } from "../ports.ts";
import { Heartbeat } from "./health-watch.ts";

test("sends heartbeats while the server is healthy, and logs an absent watcher once", async () => {
  const clock = new HandClock();
  const warned: string[] = [];
  let beats = 0;
  let well = true;
  let outcome: Outcome = { ok: true };
  const heartbeat = new Heartbeat({
    ping: () => {
      beats += 1;
      return Promise.resolve(outcome);
    },
    isWell: () => well,
    clock,
    log: { info: () => undefined, warn: (message) => warned.push(message), error: () => undefined },
  });
  const minutes = async (count: number, everyMs: number | null = 60_000): Promise<number> => {
    const before = beats;
    for (let i = 0; i < count * 60; i++) {
      await heartbeat.round(everyMs);
      clock.advance(1_000);
    }
    return beats - before;
  };
  assert.equal(await minutes(5), 5);
  assert.equal(await minutes(5, null), 0, "nobody watches");
  well = false;
  assert.equal(await minutes(5), 0);
  well = true;
  outcome = { ok: false, reason: "it answered 404" };
  assert.equal(await minutes(5), 5);
  assert.equal(warned.length, 1);
});

test("sends a heartbeat exactly at its time, and logs a failure again after a success", async () => {
  const clock = new HandClock();
  const warned: unknown[] = [];
  let beats = 0;
  let outcome: Outcome = { ok: false, reason: "it answered 404" };
  const heartbeat = new Heartbeat({
    ping: () => {
      beats += 1;
      return Promise.resolve(outcome);
    },
    isWell: () => true,
    clock,
    log: { info: () => undefined, warn: (...what) => warned.push(what), error: () => undefined },
  });
  const after = async (ms: number): Promise<number> => {
    clock.advance(ms);
    await heartbeat.round(60_000);
    return beats;
  };
  assert.equal(await after(0), 1);
  assert.equal(await after(59_999), 1);
  assert.equal(await after(1), 2);
  assert.equal(await after(-60_000), 3, "even if the clock was set back");
  assert.deepEqual(warned, [["The watcher of the heartbeat does not answer.", { why: "it answered 404" }]]);
  outcome = { ok: true };
  await after(60_000);
  outcome = { ok: false, reason: "it answered 404" };
  await after(60_000);
  assert.equal(warned.length, 2);
});
