import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import type { Outcome } from "../ports.ts";
import { createHeartbeat } from "./health-watch.ts";

const ABSENT: Outcome = { ok: false, reason: "it answered 404" };

test("sends a heartbeat at its time while the server is healthy, and logs an absent watcher once until it answers", async () => {
  const clock = new HandClock();
  const warned: unknown[] = [];
  let beats = 0;
  let isWell = true;
  let outcome: Outcome = ABSENT;
  const watcher = {
    name: "heartbeat old",
    send: () => {
      beats += 1;
      return Promise.resolve(outcome);
    },
  };
  const heartbeat = createHeartbeat({
    isWell: () => isWell,
    clock,
    log: { ...SILENT, warn: (...what) => warned.push(what) },
  });
  const after = async (ms: number, to: typeof watcher | null = watcher): Promise<number> => {
    clock.advance(ms);
    await heartbeat.round(to, 60_000);
    return beats;
  };
  assert.equal(await after(0), 1);
  assert.equal(await after(59_999), 1);
  assert.equal(await after(1), 2);
  assert.equal(heartbeat.failing(watcher.name), null);
  assert.equal(await after(-60_000), 3, "even if the clock was set back");
  assert.equal(heartbeat.failing(watcher.name), "it answered 404");
  assert.deepEqual(warned, [["The watcher of the heartbeat does not answer.", { why: "it answered 404" }]]);
  assert.equal(await after(60_000, null), 3, "no watcher is set");
  isWell = false;
  assert.equal(await after(60_000), 3);
  isWell = true;
  outcome = { ok: true };
  assert.equal(await after(0), 4);
  assert.equal(heartbeat.failing(watcher.name), null);
  outcome = ABSENT;
  for (let n = 0; n < 3; n++) await after(60_000);
  assert.equal(warned.length, 2);
  assert.equal(heartbeat.failing(watcher.name), "it answered 404");
  assert.equal(heartbeat.failing("heartbeat new"), null, "its address was just changed");
  assert.equal(await after(1_000, { ...watcher, name: "heartbeat new" }), 8, "and it is asked at once");
  assert.equal(heartbeat.failing("heartbeat new"), null);
});
