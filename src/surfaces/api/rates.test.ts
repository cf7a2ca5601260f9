import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, later } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";
import { Rates } from "./shares.ts";

const NOW = instant(Date.UTC(2026, 10, 21));

test("each caller has a separate number of requests a minute, and sees how many are left", () => {
  const rates = new Rates();
  const first = rates.spend("token a", NOW);
  assert.deepEqual(first, {
    isOver: false,
    resetSeconds: 60,
    headers: { "ratelimit-policy": '"caller";q=12000;w=60', ratelimit: '"caller";r=11999;t=60' },
  });
  for (let i = 1; i < API_LIMITS.requests; i++) assert.equal(rates.spend("token a", NOW).isOver, false);
  const over = rates.spend("token a", later(NOW, 40_000));
  assert.deepEqual([over.isOver, over.resetSeconds, over.headers["ratelimit"]], [true, 20, '"caller";r=0;t=20']);
  assert.equal(rates.spend("token b", NOW).isOver, false);
  assert.equal(rates.spend("token a", later(NOW, API_LIMITS.requestsMs)).isOver, false);
});

test("a clock that is set back keeps no caller out", () => {
  const rates = new Rates();
  for (let i = 0; i <= API_LIMITS.requests; i++) rates.spend("token a", NOW);
  assert.equal(rates.spend("token a", later(NOW, -1)).isOver, false);
});
