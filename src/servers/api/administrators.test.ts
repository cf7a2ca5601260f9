import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeGuard, T0 } from "../../../test/kit/api-kit.ts";
import { ip } from "../../../test/kit/samples.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { Administrators } from "./administrators.ts";

const HOME = ip("203.0.113.7");

test("the guard is told of each address, again after five minutes, and again after it was away", async () => {
  const guard = new FakeGuard();
  let now = T0;
  const administrators = new Administrators({ guard, clock: { now: () => now } });
  guard.isDown = true;
  await administrators.seen(HOME);
  guard.isDown = false;
  for (let i = 0; i < 3; i++) await administrators.seen(HOME);
  await administrators.seen(ip("2001:db8::1"));
  now = later(T0, 5 * MINUTE_MS);
  await administrators.seen(HOME);
  assert.deepEqual(guard.administrators, [HOME, "2001:db8::1", HOME]);
});
