import assert from "node:assert/strict";
import { test } from "node:test";
import { atMostTenAMinute } from "./unix-socket.ts";

test("ten of one code a minute are reported, then the number of further ones; other codes are not held back", () => {
  const reported: string[] = [];
  let now = 1_000;
  const report = atMostTenAMinute(
    (code, detail) => reported.push(`${code} ${detail}`),
    () => now,
  );
  for (let i = 0; i < 25; i++) report("login_secret_wrong", "");
  assert.equal(reported.length, 10);
  report("internal_error", "x");
  assert.equal(reported.at(-1), "internal_error x");

  now += 60_000;
  report("login_secret_wrong", "");
  assert.equal(reported.at(-1), "login_secret_wrong (15 more were not logged)");
  report("login_secret_wrong", "");
  assert.equal(reported.at(-1), "login_secret_wrong ");
});

test("a clock that was set back silences nothing", () => {
  const reported: string[] = [];
  let now = 1_000_000;
  const report = atMostTenAMinute(
    (_, detail) => reported.push(detail),
    () => now,
  );
  for (let i = 0; i < 20; i++) report("policy_flooded", "");
  now = 0;
  report("policy_flooded", "");
  assert.equal(reported.at(-1), "(10 more were not logged)");
});
