import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, later } from "../../core/time.ts";
import { DashboardSessions } from "./dashboard-sessions.ts";
import { API_LIMITS } from "./limits.ts";

const T0 = instant(1_800_000_000_000);

test("a session stands while it is used, and ends when idle", () => {
  const sessions = new DashboardSessions();
  const secret = sessions.open("hash", T0);
  const almost = later(T0, API_LIMITS.sessionIdleMs - 1);
  assert.equal(sessions.use(secret, "hash", almost), true);
  assert.equal(sessions.use(secret, "hash", later(almost, API_LIMITS.sessionIdleMs - 1)), true);
  assert.equal(sessions.use(secret, "hash", later(almost, 2 * API_LIMITS.sessionIdleMs)), false);
});

test("a session ends at its greatest age, however busy", () => {
  const sessions = new DashboardSessions();
  const secret = sessions.open("hash", T0);
  for (let age = 0; age < API_LIMITS.sessionAgeMs; age += API_LIMITS.sessionIdleMs / 2)
    assert.equal(sessions.use(secret, "hash", later(T0, age)), true);
  assert.equal(sessions.use(secret, "hash", later(T0, API_LIMITS.sessionAgeMs)), false);
});

test("another password, no password, a sign-out and a made-up secret end it", () => {
  const sessions = new DashboardSessions();
  assert.equal(sessions.use(sessions.open("hash", T0), "other", T0), false);
  assert.equal(sessions.use(sessions.open("hash", T0), null, T0), false);
  const secret = sessions.open("hash", T0);
  sessions.close(secret);
  assert.equal(sessions.use(secret, "hash", T0), false);
  assert.equal(sessions.use("made-up", "hash", T0), false);
});

test("the least recently used session makes room", () => {
  const sessions = new DashboardSessions();
  const first = sessions.open("hash", T0);
  const second = sessions.open("hash", T0);
  for (let i = 2; i < API_LIMITS.sessions; i++) sessions.open("hash", T0);
  assert.equal(sessions.use(first, "hash", T0), true);
  sessions.open("hash", T0);
  assert.equal(sessions.use(first, "hash", T0), true);
  assert.equal(sessions.use(second, "hash", T0), false);
});

test("asking whether a session stands does not prolong it", () => {
  const sessions = new DashboardSessions();
  const secret = sessions.open("hash", T0);
  assert.equal(sessions.stands(secret, "hash", later(T0, API_LIMITS.sessionIdleMs - 1)), true);
  assert.equal(sessions.stands(secret, "hash", later(T0, API_LIMITS.sessionIdleMs)), false);
  assert.equal(sessions.stands(secret, "other", T0), false);
});
