import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { alertText } from "../../core/alerts/alerts.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";

test("a sign-in that a guarded account refuses counts as failed, and is reported for an hour", () => {
  const kit = windows();
  for (const last of [8, 9, 10])
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "Anna@example.test", from: `203.0.113.${last}` });
  assert.deepEqual(kit.holding(), ["failed_logins", "account_guarded anna@example.test"]);
  kit.wait(59 * MINUTE_MS);
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "anna@example.test", from: "203.0.113.8" });
  kit.wait(59 * MINUTE_MS);
  assert.deepEqual(kit.holding(), ["account_guarded anna@example.test"]);
  assert.deepEqual(kit.details(), ["sign-ins refused without a check, the last from 203.0.113.8/32"]);
  kit.wait(MINUTE_MS);
  assert.deepEqual(kit.holding(), [], "it ends an hour after the last");
});

for (const [reason, codes, hours] of [
  ["right_password_guarded", ["account_guarded", "right_password_refused"], 1],
  ["known_address_capped", ["known_address_capped"], 24],
  ["known_address_at_others", ["known_address_capped"], 24],
] as const)
  test(`a sign-in refused as ${reason} is reported once for each account, for ${hours} h`, () => {
    const kit = windows({ failed_logins: 1_000 });
    const [anna, bob] = ["anna@example.test", "bob@example.test"];
    for (const account of [anna, bob, bob]) kit.take("LOGIN_REFUSED", { reason, account, from: "203.0.113.8" });
    kit.wait(hours * HOUR_MS - 3_000);
    const reported = codes.flatMap((code) => [`${code} ${anna}`, `${code} ${bob}`]);
    assert.deepEqual(kit.holding(), reported);
    kit.wait(3_000);
    assert.deepEqual(kit.holding(), []);
  });

test("a refused right password is reported in quiet hours too", () =>
  assert.equal(alertText("right_password_refused").severity, "critical"));

test("names without an account leave room for real accounts", () => {
  const kit = windows({ failed_logins: 1_000 });
  const refuse = (account: string, isKnownAccount: boolean): void =>
    kit.take("LOGIN_REFUSED", { reason: "account_guarded", account, from: "203.0.113.8", isKnownAccount });
  for (let i = 0; i < 100; i++) refuse(`nobody${i}@example.test`, false);
  assert.equal(kit.holding().length, 10);
  refuse("anna@example.test", true);
  assert.ok(kit.holding().includes("account_guarded anna@example.test"));
});

test("each alert about accounts has room for fifty existing accounts, and room becomes free again", () => {
  const kit = windows({ failed_logins: 10_000 });
  const refuse = (name: string, reason = "account_guarded"): void =>
    kit.take("LOGIN_REFUSED", { reason, account: `${name}@example.test`, isKnownAccount: true });
  for (let i = 0; i < 51; i++) refuse(`user${i}`);
  assert.equal(kit.holding().length, 50);
  refuse("user51", "right_password_guarded");
  assert.deepEqual(kit.holding().slice(50), ["right_password_refused user51@example.test"]);
  assert.equal(kit.details()[0], "sign-ins refused without a check, the last from ?");
  kit.wait(HOUR_MS);
  refuse("user52");
  assert.deepEqual(kit.holding(), ["account_guarded user52@example.test"]);
});

test("an event without an account, or without a refused sign-in, raises no alert", () => {
  const kit = windows({ failed_logins: 100 });
  kit.take("LOGIN_REFUSED", { reason: "account_guarded" });
  kit.take("LOGIN_REFUSED", { reason: "account_guarded", account: "" });
  kit.take("LOGIN_FAILED", { reason: "account_guarded", account: "anna@example.test" });
  assert.deepEqual(kit.holding(), []);
});

test("spraying is reported from the first sign-in refused because of it, for an hour", () => {
  const kit = windows({ failed_logins: 1_000 });
  kit.take("LOGIN_REFUSED", { reason: "spraying", account: "anna@example.test", from: "203.0.113.8" });
  assert.deepEqual(kit.holding(), ["spraying"]);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});
