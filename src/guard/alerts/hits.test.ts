import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS, instant } from "../../core/time.ts";

const ANNA = "anna@example.test";
const BERT = "bert@example.test";
const NEW = { isNewPlace: true, isNewNetwork: true };

const thresholds = { failed_logins: 1_000, password_guessed: 1_000 };
const { take, after, afterMs, remember, wait, holding, details } = windowsOf(import.meta.filename, thresholds);
const fail = (account: string, from: string, isNewPlace = true) => take("LOGIN_FAILED", { account, from, isNewPlace });
const succeed = (account: string, from: string, place = NEW) => after("LOGIN_SUCCEEDED", { account, from, ...place });

test("a sign-in from an address that failed at a different account is reported for a day, or until the password is changed", () => {
  fail(ANNA, "203.0.113.7");
  succeed(BERT, "203.0.113.7");
  const hit = `login_after_guesses ${BERT}`;
  assert.deepEqual(holding(), [hit]);
  const failed = `within a day, sign-ins from 203.0.113.7/32 failed at ${ANNA}`;
  assert.deepEqual(details(), [`${BERT} signed in from 203.0.113.7/32; ${failed}`]);
  for (const name of ["cid", "dora", "eve"]) fail(`${name}@example.test`, "203.0.113.7");
  wait(20 * HOUR_MS);
  succeed(BERT, "203.0.113.7");
  assert.match(details()[0] ?? "", / failed at cid@example\.test, dora@example\.test, eve@example\.test and others$/);
  assert.deepEqual(afterMs(20 * HOUR_MS), [hit]);
  take("PASSWORD_CHANGED", { account: BERT, actor: `mailbox:${BERT} via 203.0.113.7` });
  assert.deepEqual(holding(), [hit], "a thief may have changed it");
  assert.deepEqual(after("PASSWORD_CHANGED", { account: BERT }), []);
  assert.deepEqual(succeed(BERT, "203.0.113.7"), [`login_new_place ${BERT}`], "the failure is two days old");
});

test("after a restart, a password change from before a theft does not end its alert", () => {
  const kept = { subject: ANNA, detail: "", openedAt: instant(HOUR_MS), lastAt: instant(HOUR_MS), resolvedAt: null };
  for (const code of ["password_guessed", "login_after_guesses"] as const) remember([{ ...kept, code }]);
  take("PASSWORD_CHANGED", { account: ANNA });
  assert.deepEqual(holding(), [`password_guessed ${ANNA}`, `login_after_guesses ${ANNA}`]);
  wait(HOUR_MS);
  assert.deepEqual(after("PASSWORD_CHANGED", { account: ANNA }), []);
});

test("sign-ins refused without a check count as failed; those refused by a ban or outside the allowed networks do not", () => {
  take("LOGIN_REFUSED", { account: ANNA, from: "203.0.113.7", isNewPlace: true, reason: "outside_networks" });
  take("LOGIN_REFUSED", { account: ANNA, from: "203.0.113.7", isNewPlace: true, reason: "banned" });
  take("LOGIN_REFUSED", { account: ANNA, from: "198.51.100.7", isNewPlace: true, reason: "spraying" });
  succeed(BERT, "203.0.113.7");
  succeed("cid@example.test", "198.51.100.7");
  const aboutAccounts = holding().filter((one) => one !== "spraying");
  assert.deepEqual(aboutAccounts, [`login_new_place ${BERT}`, "login_after_guesses cid@example.test"]);
});

test("failures from a network make sign-ins to accounts new to it suspicious; failures from a neighbouring network do not", () => {
  for (const account of [ANNA, "cid@example.test", "dora@example.test"]) fail(account, "203.0.113.7");
  succeed(BERT, "203.0.113.8", { isNewPlace: true, isNewNetwork: false });
  assert.deepEqual(holding(), [], "the network is Bert's");
  assert.deepEqual(succeed(BERT, "203.0.113.9"), [`login_after_guesses ${BERT}`]);
  const failed = `sign-ins from 203.0.113.0/24 failed at ${ANNA}, cid@example.test, dora@example.test`;
  assert.deepEqual(details(), [`${BERT} signed in from 203.0.113.9/32; within a day, ${failed}`]);
  fail(ANNA, "2001:db8:2::1");
  succeed("eve@example.test", "2001:db8:2:8000::1");
  succeed("finn@example.test", "2001:db8:3::1");
  assert.deepEqual(holding().slice(1), ["login_after_guesses eve@example.test", "login_new_place finn@example.test"]);
});

test("the last sixteen failures of a network count, and a repeated one counts once", () => {
  fail(ANNA, "203.0.113.7");
  for (let i = 0; i < 20; i++) fail(`user${i % 15}@example.test`, "203.0.113.8");
  succeed(BERT, "203.0.113.7");
  assert.match(details()[0] ?? "", / sign-ins from 203\.0\.113\.7\/32 failed at anna@example\.test$/);
  fail("another@example.test", "203.0.113.8");
  succeed(BERT, "203.0.113.7");
  assert.match(details()[0] ?? "", / sign-ins from 203\.0\.113\.0\/24 failed at /, "the first is forgotten");
});

test("remembers the failures of 10,000 networks and the refusals of 2,000 accounts", () => {
  for (let i = 0; i <= 10_000; i++) fail(`user${i}@example.test`, `10.${i >> 8}.${i & 255}.1`);
  succeed(ANNA, "10.0.0.1");
  assert.deepEqual(succeed(BERT, "10.0.1.1"), [`login_new_place ${ANNA}`, `login_after_guesses ${BERT}`]);
  for (let i = 0; i <= 2_000; i++) take("LOGIN_REFUSED", { account: `user${i}@example.test`, reason: "spraying" });
  for (const i of [0, 1]) succeed(`user${i}@example.test`, "198.51.100.1");
  const signedIn = details().filter((one) => one.startsWith("user"));
  assert.deepEqual(signedIn, [
    "user0@example.test signed in from 198.51.100.1/32",
    "user1@example.test signed in from 198.51.100.1/32, while strangers guessed its password",
  ]);
});

test("does not suspect users who mistype at home or at their own account, or whose place the account knows", () => {
  fail(ANNA, "203.0.113.7", false);
  fail(BERT, "203.0.113.7");
  assert.deepEqual(succeed(BERT, "203.0.113.7"), [`login_new_place ${BERT}`]);
  fail(ANNA, "198.51.100.7");
  succeed("cid@example.test", "198.51.100.7", { isNewPlace: false, isNewNetwork: false });
  assert.deepEqual(holding(), [`login_new_place ${BERT}`]);
  fail(ANNA, "192.0.2.7");
  wait(DAY_MS - 1_000);
  succeed("dora@example.test", "192.0.2.7");
  assert.deepEqual(holding(), ["login_new_place dora@example.test"], "nor a day after a failure");
});

test("a device that repeats a stale password where its owner moved is not suspicious", () => {
  const home = { account: ANNA, from: "203.0.113.7", proof: "stale" };
  const moved = { account: ANNA, from: "198.51.100.7", isNewPlace: true };
  const succeedsThere = () => succeed(BERT, "198.51.100.7").join();
  take("LOGIN_FAILED", home);
  take("LOGIN_FAILED", { ...home, proof: null });
  take("LOGIN_FAILED", { ...moved, proof: "stale" });
  assert.equal(succeedsThere(), `login_new_place ${BERT}`);
  wait(DAY_MS / 2);
  take("LOGIN_FAILED", { ...moved, proof: "stale" });
  wait(DAY_MS / 2);
  take("LOGIN_FAILED", { ...moved, proof: "stale" });
  assert.match(succeedsThere(), /login_after_guesses/, "it last failed at home a day ago");
});

test("the device of a suspended user is not suspicious however often its address changes", () => {
  const reason = "right_password_inactive";
  take("LOGIN_FAILED", { account: ANNA, from: "203.0.113.7", proof: "right", reason });
  for (const from of ["198.51.100.7", "198.51.100.8", "198.51.100.9"]) {
    wait(DAY_MS * 0.9);
    take("LOGIN_FAILED", { account: ANNA, from, isNewPlace: true, proof: "right", reason });
    assert.deepEqual(succeed(BERT, from), [`login_new_place ${BERT}`]);
  }
});

for (const [what, other] of Object.entries({
  "another password": { proof: "guess" },
  "an unknown password": { proof: null },
  "another account": { account: "cid@example.test", proof: "stale" },
  "a suspended account": { proof: "right", reason: "right_password_inactive" },
}))
  test(`a stale password at home does not excuse a failure of ${what} elsewhere`, () => {
    for (const proof of ["stale", null]) take("LOGIN_FAILED", { account: ANNA, from: "203.0.113.7", proof });
    take("LOGIN_FAILED", { account: ANNA, from: "198.51.100.7", isNewPlace: true, ...other });
    assert.deepEqual(succeed(BERT, "198.51.100.7"), [`login_after_guesses ${BERT}`]);
  });

test("a network where an account was never used is reported once a day, except at the account's first sign-in", () => {
  assert.deepEqual(after("LOGIN_SUCCEEDED", { account: ANNA, from: "203.0.113.7", ...NEW, isFirst: true }), []);
  for (const from of ["198.51.100.1", "198.51.101.1", "198.51.102.1"]) succeed(ANNA, from);
  assert.deepEqual(holding(), [`login_new_place ${ANNA}`]);
  assert.deepEqual(afterMs(DAY_MS), []);
  take("LOGIN_REFUSED", { account: ANNA, from: "192.0.2.1", isNewPlace: true, reason: "spraying" });
  succeed(ANNA, "198.51.103.1");
  assert.ok(details().includes(`${ANNA} signed in from 198.51.103.1/32, while strangers guessed its password`));
  wait(HOUR_MS - 2_000);
  succeed(ANNA, "198.51.104.1");
  assert.ok(details().includes(`${ANNA} signed in from 198.51.104.1/32`), "an hour after the last guess");
});

test("neither the administrator nor a program of this machine is a new place; a user at the dashboard is", () => {
  succeed(ANNA, "127.0.0.1");
  take("LOGIN_SUCCEEDED", { account: "admin", from: "203.0.113.7", ...NEW, service: "dashboard" });
  assert.deepEqual(holding(), []);
  take("LOGIN_SUCCEEDED", { account: ANNA, from: "203.0.113.7", ...NEW, service: "dashboard" });
  assert.deepEqual(holding(), [`login_new_place ${ANNA}`]);
});

test("at most fifty accounts of each kind are reported at once", () => {
  for (let i = 0; i < 70; i++) succeed(`user${i}@example.test`, `198.18.${i}.1`);
  assert.equal(holding().length, 50);
  fail(ANNA, "203.0.113.7");
  succeed(BERT, "203.0.113.7");
  assert.ok(holding().includes(`login_after_guesses ${BERT}`));
});
