import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS, instant } from "../../core/time.ts";
import { EachChange } from "./change-windows.ts";

const WEB = "web:admin via 203.0.113.9";
const CHANGED = { subject: "limits.mail.per_minute = 20, was 10", actor: WEB };

test("past the first changes of a day, those of each hour share one alert that names the last", () => {
  const changes = new EachChange("web_settings", 2);
  const take = (minute: number): void =>
    changes.take({ at: instant(minute * 60_000), subject: `#${minute}`, detail: "changed", isNewNetwork: false });
  for (const minute of [0, 1, 2, 3, 60]) take(minute);
  assert.deepEqual(
    changes.holding(instant(HOUR_MS)).map(({ subject, detail }) => `${subject}: ${detail}`),
    [
      "#0: changed",
      "#1: changed",
      "further changes since 1970-01-01T00:00:00.000Z: 2 so far, the last: #3: changed",
      "further changes since 1970-01-01T01:00:00.000Z: 1 so far, the last: #60: changed",
    ],
  );
  assert.equal(changes.holding(instant(DAY_MS + 3 * 60_000)).length, 1, "the last hour's");
  take(24 * 60 + 4);
  assert.equal(changes.holding(instant(DAY_MS + 4 * 60_000)).at(0)?.subject, `#${24 * 60 + 4}`);
  assert.deepEqual(changes.holding(instant(-2 * DAY_MS)), [], "a clock that was set back");
});

test("a change from a network that is not the owner's is critical, even after a flood of harmless ones", () => {
  const changes = new EachChange("web_settings", 2);
  const take = (second: number, isNewNetwork: boolean): void =>
    changes.take({ at: instant(second * 1_000), subject: `#${second}`, detail: "changed", isNewNetwork });
  for (const second of [0, 1, 2]) take(second, false);
  take(3, true);
  const found = changes.holding(instant(4_000)).map(({ code, subject }) => `${code} ${subject}`);
  assert.deepEqual(found.slice(2), [
    "web_settings further changes since 1970-01-01T00:00:00.000Z",
    "web_new_network further changes since 1970-01-01T00:00:00.000Z",
  ]);
});

test("each token created through the web is reported for a day, and root's are not", () => {
  const kit = windows();
  kit.take("TOKEN_CREATED", { subject: "mine", actor: "root" });
  assert.deepEqual(kit.holding(), []);
  kit.take("TOKEN_CREATED", { subject: "one", actor: WEB });
  kit.wait(HOUR_MS);
  kit.take("TOKEN_CREATED", { subject: "two", actor: WEB });
  assert.deepEqual(kit.holding(), ["web_token one (event 2)", "web_token two (event 3)"]);
  kit.take("TOKEN_REVOKED", { actor: WEB });
  assert.deepEqual(kit.holding(), ["web_token one (event 2)", "web_token two (event 3)"]);
  kit.wait(DAY_MS - HOUR_MS);
  assert.deepEqual(kit.holding(), ["web_token two (event 3)"]);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});

test("a token that is revoked and created again is reported again", () => {
  const kit = windows();
  for (const type of ["TOKEN_CREATED", "TOKEN_REVOKED", "TOKEN_CREATED"] as const)
    kit.take(type, { subject: "nightly", actor: WEB });
  assert.deepEqual(kit.holding(), ["web_token nightly (event 1)", "web_token nightly (event 3)"]);
});

test("each change of a passkey, and each copy, is reported for a day", () => {
  const kit = windows();
  kit.take("PASSKEY_ADDED", { subject: "Laptop", actor: WEB });
  kit.wait(HOUR_MS);
  kit.take("PASSKEY_REMOVED", { subject: "Laptop", actor: WEB });
  kit.take("PASSKEY_REFUSED", { subject: "Key", actor: "web:unnamed via 198.51.100.7" });
  assert.deepEqual(kit.holding(), [
    "web_passkey Laptop added (event 1)",
    "web_passkey Laptop removed (event 2)",
    "passkey_copied Key copied (event 3)",
  ]);
  kit.wait(DAY_MS - HOUR_MS);
  assert.deepEqual(kit.holding(), ["web_passkey Laptop removed (event 2)", "passkey_copied Key copied (event 3)"]);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});

test("a passkey that is removed and added again is reported again", () => {
  const kit = windows();
  for (const type of ["PASSKEY_ADDED", "PASSKEY_REMOVED", "PASSKEY_ADDED"] as const)
    kit.take(type, { subject: "Laptop", actor: WEB });
  const reported = ["added (event 1)", "removed (event 2)", "added (event 3)"];
  assert.deepEqual(
    kit.holding(),
    reported.map((one) => `web_passkey Laptop ${one}`),
  );
});

test("each change of settings through the web is reported for a day, and root's are not", () => {
  const kit = windows();
  kit.take("SETTINGS_APPLIED", { ...CHANGED, actor: "root" });
  assert.deepEqual(kit.holding(), []);
  kit.take("SETTINGS_APPLIED", CHANGED);
  kit.take("SETTINGS_APPLIED", { ...CHANGED, subject: "undone: limits.mail.per_minute = 10, was 20" });
  assert.equal(kit.holding().length, 2);
  assert.ok(kit.holding().every((one) => one.startsWith("web_settings ")));
  kit.wait(DAY_MS);
  assert.deepEqual(kit.holding(), []);
});

test("each change of a second factor through the web is reported for a day, and root's are not", () => {
  const kit = windows();
  kit.take("FACTOR_REMOVED", { subject: "every second factor", actor: "root" });
  assert.deepEqual(kit.holding(), []);
  kit.take("FACTOR_ADDED", { subject: "authenticator app", actor: WEB });
  kit.wait(HOUR_MS);
  kit.take("RECOVERY_CODES_MADE", { subject: "10 codes", actor: WEB });
  kit.take("RECOVERY_CODE_USED", { subject: "9 left", actor: WEB });
  kit.take("FACTOR_REMOVED", { subject: "authenticator app", actor: WEB });
  const later = [
    "web_factor new recovery codes (event 3)",
    "web_factor authenticator app removed (event 5)",
    "recovery_code_used 9 left (event 4)",
  ];
  assert.deepEqual(kit.holding(), ["web_factor authenticator app set up (event 2)", ...later]);
  kit.wait(DAY_MS - HOUR_MS);
  assert.deepEqual(kit.holding(), later);
  kit.wait(HOUR_MS);
  assert.deepEqual(kit.holding(), []);
});

test("a repeated change of a second factor is reported again", () => {
  const kit = windows();
  for (let i = 0; i < 2; i++) {
    kit.take("FACTOR_ADDED", { subject: "authenticator app", actor: WEB });
    kit.take("RECOVERY_CODES_MADE", { subject: "10 codes", actor: WEB });
    kit.take("RECOVERY_CODE_USED", { subject: "9 left", actor: WEB });
  }
  assert.equal(new Set(kit.holding()).size, 6);
});

test("five wrong codes behind the right password within a day are guesses", () => {
  const kit = windows();
  const wrong = (): void => kit.take("SECOND_FACTOR_FAILED", { actor: WEB });
  for (let i = 0; i < 4; i++) wrong();
  assert.deepEqual(kit.holding(), []);
  kit.wait(DAY_MS);
  wrong();
  assert.deepEqual(kit.holding(), [], "the first four are from the day before");
  for (let i = 0; i < 4; i++) wrong();
  assert.deepEqual(kit.holding(), ["second_factor_guessed"]);
  kit.wait(DAY_MS);
  assert.deepEqual(kit.holding(), []);
});

test("a right password without a code is reported once for each address in a new network", () => {
  const kit = windows();
  const asked = (address: string, isNewNetwork = true): void =>
    kit.take("SECOND_FACTOR_ASKED", { actor: `web:admin via ${address}`, isNewNetwork });
  asked("203.0.113.9", false);
  assert.deepEqual(kit.holding(), []);
  asked("198.51.100.7");
  asked("198.51.100.7");
  asked("2001:db8::7");
  assert.deepEqual(kit.holding(), ["password_without_code 198.51.100.7", "password_without_code 2001:db8::7"]);
  for (let i = 0; i < 60; i++) asked(`198.51.100.${i + 10}`);
  assert.equal(kit.holding().length, 20);
  kit.wait(DAY_MS);
  assert.deepEqual(kit.holding(), []);
});

for (const type of ["TOKEN_CREATED", "PASSKEY_ADDED", "SETTINGS_APPLIED", "FACTOR_ADDED"] as const)
  test(`a flood of changes leaves room for other alerts: ${type}`, () => {
    const kit = windows();
    for (let i = 0; i < 60; i++) kit.take(type, { subject: `t${i}`, actor: WEB });
    assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
    kit.wait(-2 * DAY_MS);
    assert.deepEqual(kit.holding(), [], "a clock that was set back");
  });
