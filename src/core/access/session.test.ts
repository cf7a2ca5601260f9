import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, later } from "../time.ts";
import {
  freshUntil,
  isValid,
  isWorthNoting,
  NOTE_USE_MS,
  PROOF_MS,
  SESSION_AGE_MS,
  SESSION_AHEAD_MS,
  SESSION_IDLE_MS,
} from "./session.ts";

const T0 = instant(1_800_000_000_000);

test("a session is valid for twelve hours after its last use, and for seven days", () => {
  assert.deepEqual([SESSION_IDLE_MS, SESSION_AGE_MS], [12 * 3_600_000, 7 * 86_400_000]);
  const unused = { startedAt: T0, usedAt: T0 };
  assert.ok(isValid(unused, later(T0, SESSION_IDLE_MS - 1)));
  assert.ok(!isValid(unused, later(T0, SESSION_IDLE_MS)));
  const busy = { startedAt: T0, usedAt: later(T0, SESSION_AGE_MS - 2) };
  assert.ok(isValid(busy, later(T0, SESSION_AGE_MS - 1)));
  assert.ok(!isValid(busy, later(T0, SESSION_AGE_MS)));
});

test("times further ahead than a clock's usual correction make no session", () => {
  const ahead = later(T0, SESSION_AHEAD_MS);
  assert.ok(isValid({ startedAt: ahead, usedAt: ahead }, T0));
  assert.ok(!isValid({ startedAt: later(ahead, 1), usedAt: T0 }, T0));
  assert.ok(!isValid({ startedAt: T0, usedAt: later(ahead, 1) }, T0));
});

test("a proof is fresh for ten minutes, and not before it was given", () => {
  assert.equal(freshUntil(T0, T0), later(T0, PROOF_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS - 1)), later(T0, PROOF_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS)), null);
  assert.equal(freshUntil(T0, later(T0, -1)), null);
});

test("a use is noted once a minute", () => {
  assert.ok(isWorthNoting(null, T0));
  assert.ok(!isWorthNoting(T0, later(T0, NOTE_USE_MS - 1)));
  assert.ok(isWorthNoting(T0, later(T0, NOTE_USE_MS)));
});
