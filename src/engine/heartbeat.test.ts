import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../test/kit/engine-kit.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Outcome } from "./ports.ts";

test("the heart beats while all is well, and a watcher that is away is logged once", async () => {
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
