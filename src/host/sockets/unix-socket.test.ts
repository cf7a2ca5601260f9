import assert from "node:assert/strict";
import { test } from "node:test";
import { atMostTenAMinute } from "./unix-socket.ts";

/** A reporter whose time the test sets, and the reports that it passed on. */
function reporter() {
  const reported: string[] = [];
  const clock = { now: 1_000_000 };
  const take = (code: string, detail: string): unknown => reported.push(`${code} ${detail}`);
  return { clock, reported, report: atMostTenAMinute(take, () => clock.now) };
}

test("ten reports of a code a minute are passed on, later the number of dropped ones; other codes are not affected", () => {
  const { clock, reported, report } = reporter();
  for (let i = 0; i < 25; i++) report("login_secret_wrong", "");
  assert.equal(reported.length, 10);
  report("internal_error", "x");
  assert.equal(reported.at(-1), "internal_error x");
  clock.now += 60_000;
  report("login_secret_wrong", "");
  assert.equal(reported.at(-1), "login_secret_wrong (15 more were not logged)");
  report("login_secret_wrong", "");
  assert.equal(reported.at(-1), "login_secret_wrong ");
});

test("a clock that was set back suppresses nothing", () => {
  const { clock, reported, report } = reporter();
  for (let i = 0; i < 20; i++) report("policy_flooded", "");
  clock.now = 0;
  report("policy_flooded", "");
  assert.equal(reported.at(-1), "policy_flooded (10 more were not logged)");
});
