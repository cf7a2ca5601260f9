import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FIELDS } from "../../../test/kit/alert-windows-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { NOON } from "../../../test/kit/samples.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import { guessWindow } from "./guess-windows.ts";

const ANNA = "anna@example.test";
const HERE = "203.0.113.7";
const THERE = "198.51.100.9";

let guesses: ReturnType<typeof guessWindow>;
let now: Millis;
function startAgain(failures = 3): void {
  guesses = guessWindow(failures);
  now = NOON;
}
beforeEachOf(import.meta.filename, () => startAgain());

type Fields = Partial<Omit<AlertEvent, "prefix">> & Readonly<{ from?: string | null }>;

function take(type: AlertEvent["type"], { from = HERE, ...rest }: Fields = {}): void {
  const prefix = from === null ? null : parsePrefix(from);
  guesses.take({ ...NO_FIELDS, id: 1, at: now, type, account: ANNA, prefix, ...rest });
}

/** Fails this often, each time with a different wrong password. */
function fail(count: number, reported: Fields = {}): void {
  for (let i = 0; i < count; i++) take("LOGIN_FAILED", { proof: `wrong ${i}`, ...reported });
}

const found = (): readonly string[] => guesses.holding(now).map(({ subject }) => subject);
/** Returns the accounts that are suspected from then on. */
const succeed = (reported: Fields = {}): readonly string[] => {
  take("LOGIN_SUCCEEDED", { isNewPlace: true, ...reported });
  return found();
};

test("three different wrong passwords, one of them from the new place, make a right one suspicious", () => {
  fail(2, { from: THERE });
  fail(1, { proof: "here" });
  succeed();
  const detail = `${ANNA} signed in from ${HERE}/32 after 3 different wrong passwords within 1h`;
  assert.deepEqual(guesses.holding(now), [{ code: "password_guessed", subject: ANNA, detail }]);
});

test("a place missing in the log is shown as unknown", () => {
  fail(3, { from: null });
  succeed({ from: null });
  assert.match(guesses.holding(now)[0]?.detail ?? "", / signed in from \? after /);
});

test("fifteen wrong passwords from other places make a right one suspicious", () => {
  for (let i = 0; i < 2; i++) fail(14, { from: THERE });
  assert.deepEqual(succeed(), []);
  fail(15, { from: THERE });
  assert.deepEqual(succeed(), [ANNA]);
});

test("where the account signed in before, fifteen wrong passwords from that place are needed", () => {
  fail(14);
  fail(1, { from: THERE, proof: "one more" });
  assert.deepEqual(succeed({ isNewPlace: false }), []);
  fail(15);
  assert.deepEqual(succeed({ isNewPlace: false }), [ANNA]);
});

test("a wrong password counts for an hour", () => {
  fail(3);
  now = later(NOON, HOUR_MS - 1);
  assert.deepEqual(succeed(), [ANNA]);
  startAgain();
  fail(3);
  now = later(NOON, HOUR_MS);
  assert.deepEqual(succeed(), []);
});

test("a report lasts a day, and then the count starts again: a further right password needs new wrong ones", () => {
  fail(3);
  succeed();
  now = later(NOON, 24 * HOUR_MS - 1);
  assert.deepEqual(found(), [ANNA]);
  now = later(NOON, 24 * HOUR_MS);
  assert.deepEqual(found(), []);
  startAgain();
  fail(3);
  succeed();
  take("PASSWORD_CHANGED", { account: ANNA });
  assert.deepEqual(succeed(), []);
});

test("an administrator's change of an account clears it, however its name is written", () => {
  for (const type of ["PASSWORD_CHANGED", "ACCOUNT_SUSPENDED", "ACCOUNT_REMOVED"] as const) {
    fail(3, { account: "Anna@Example.test" });
    succeed();
    take(type, { account: "bert@example.test" });
    assert.deepEqual(found(), [ANNA]);
    take(type, { account: "ANNA@example.test" });
    assert.deepEqual(found(), []);
    fail(3);
    take(type, { account: ANNA });
    assert.deepEqual(succeed(), [], "earlier wrong passwords no longer count");
  }
});

test("a new password of the dashboard clears the administrator's", () => {
  fail(3, { account: "admin" });
  succeed({ account: "admin" });
  take("PASSWORD_CHANGED", { account: ANNA });
  assert.deepEqual(found(), ["admin"]);
  take("ADMIN_PASSWORD_CHANGED");
  assert.deepEqual(found(), []);
});

test("a new password that the mailbox's user sets does not clear it: a thief may have set it", () => {
  fail(3);
  succeed();
  take("PASSWORD_CHANGED", { account: ANNA, actor: `mailbox:${ANNA} via 203.0.113.7` });
  assert.deepEqual(found(), [ANNA]);
});

test("failures before an account's first sign-in count together with later ones", () => {
  fail(2, { isKnownAccount: false });
  fail(1, { proof: "another" });
  assert.deepEqual(succeed(), [ANNA]);
});

test("failures found only in a log count together as one password", () => {
  for (let i = 0; i < 20; i++) take("LOGIN_FAILED", { from: `203.0.113.${i}` });
  assert.deepEqual(succeed(), []);
  startAgain(1);
  take("LOGIN_FAILED");
  assert.deepEqual(succeed(), [ANNA], "one of them counts");
  startAgain(1);
  take("LOGIN_FAILED", { proof: "wrong", from: THERE });
  take("LOGIN_FAILED");
  assert.deepEqual(succeed(), [], "with a known one, they do not count");
});

test("a failure without an account name counts for no account", () => {
  fail(3, { account: "" });
  fail(3, { account: null });
  assert.deepEqual(succeed({ account: null }), []);
});

for (const isKnownAccount of [true, false])
  test(`remembers wrong passwords of ${isKnownAccount ? "10,000 accounts" : "2,000 other names"}`, () => {
    const most = isKnownAccount ? 10_000 : 2_000;
    fail(3, { account: "first@example.test", isKnownAccount });
    fail(3, { account: "second@example.test", isKnownAccount });
    for (let i = 2; i < most; i++) fail(1, { account: `user${i}@example.test`, isKnownAccount });
    fail(1, { account: "first@example.test", proof: "touched", isKnownAccount });
    fail(1, { account: "last@example.test", isKnownAccount });
    for (const account of ["first@example.test", "second@example.test"]) succeed({ account });
    assert.deepEqual(found(), ["first@example.test"], "the least recently used one was dropped");
  });

test("a guessed password is reported from its first use", () => {
  fail(3, { isKnownAccount: false });
  succeed();
  now = later(NOON, HOUR_MS / 2);
  succeed();
  now = later(NOON, 24 * HOUR_MS);
  assert.deepEqual(found(), []);
});
