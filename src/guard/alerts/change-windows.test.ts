import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsOf } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS, instant } from "../../core/time.ts";
import { eachChange } from "./change-windows.ts";

const kit = windowsOf(import.meta.filename);

const WEB = "web:admin via 203.0.113.9";

test("past the first changes of a day, those of each hour share one alert that names the last", () => {
  const changes = eachChange({ code: "web_settings", most: 2 });
  const take = (minute: number): void =>
    changes.take({ at: instant(minute * 60_000), subject: `#${minute}`, detail: "changed", isNewNetwork: false });
  for (const minute of [0, 1, 2, 3, 60]) take(minute);
  const reported = changes.holding(instant(HOUR_MS)).map(({ subject, detail }) => `${subject}: ${detail}`);
  assert.deepEqual(reported, [
    "#0: changed",
    "#1: changed",
    "further changes since 1970-01-01T00:00:00.000Z: 2 so far, the last: #3: changed",
    "further changes since 1970-01-01T01:00:00.000Z: 1 so far, the last: #60: changed",
  ]);
  assert.equal(changes.holding(instant(DAY_MS + 3 * 60_000)).length, 1, "the last hour's");
  // The third has room, because the others are a day old by then.
  for (const minute of [24 * 60 + 4, 24 * 60 + 5, 48 * 60 + 5]) take(minute);
  const last = changes.holding(instant((48 * 60 + 5) * 60_000)).map(({ subject }) => subject);
  assert.deepEqual(last, [`#${48 * 60 + 5}`]);
  assert.deepEqual(changes.holding(instant(-2 * DAY_MS)), [], "a clock that was set back");
});

test("a change from a network that is not the owner's is critical, even after a flood of harmless ones", () => {
  const changes = eachChange({ code: "web_settings", most: 2 });
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

test("a token made from a new network is critical; a copied passkey always is, and keeps its name", () => {
  for (const type of ["TOKEN_CREATED", "PASSKEY_REFUSED"] as const)
    kit.take(type, { subject: "x", actor: WEB, isNewNetwork: true });
  assert.deepEqual(kit.holding(), ["web_new_network x (event 1)", "passkey_copied x copied (event 2)"]);
});

const UNDONE = "undone: limits.mail.per_minute = 10, was 20";
/** Changes with the subject of their event, and the alert that each of them is. `byRoot`: root's is reported too. */
for (const [type, subject, alert, byRoot] of [
  ["TOKEN_CREATED", "nightly", "web_token nightly", false],
  ["PASSKEY_ADDED", "Laptop", "web_passkey Laptop added", true],
  ["PASSKEY_REMOVED", "Laptop", "web_passkey Laptop removed", true],
  ["PASSKEY_REFUSED", "Key", "passkey_copied Key copied", true],
  ["SETTINGS_APPLIED", UNDONE, "web_settings", false],
  ["FACTOR_ADDED", "authenticator app", "web_factor authenticator app set up", false],
  ["FACTOR_REMOVED", "authenticator app", "web_factor authenticator app removed", false],
  ["RECOVERY_CODES_MADE", "10 codes", "web_factor new recovery codes", false],
  ["RECOVERY_CODE_USED", "9 left", "recovery_code_used 9 left", false],
] as const)
  test(`reported each time for a day, ${byRoot ? "even" : "but not"} if root does it: ${alert}`, () => {
    const reported = (id: number): string => (alert === "web_settings" ? `${alert} ${id}` : `${alert} (event ${id})`);
    assert.deepEqual(kit.after(type, { subject, actor: "root" }), byRoot ? [reported(1)] : []);
    kit.wait(DAY_MS);
    kit.take(type, { subject, actor: WEB });
    kit.wait(HOUR_MS);
    kit.take(type, { subject, actor: WEB });
    // Revoking it does not end the alert.
    assert.deepEqual(kit.after("TOKEN_REVOKED", { subject, actor: WEB }), [reported(2), reported(3)]);
    assert.deepEqual(kit.afterMs(DAY_MS - HOUR_MS), [reported(3)]);
    assert.deepEqual(kit.afterMs(HOUR_MS), []);
  });

test("five wrong codes after the right password within a day are guesses", () => {
  const wrong = (): void => kit.take("SECOND_FACTOR_FAILED", { actor: WEB });
  for (let i = 0; i < 4; i++) wrong();
  assert.deepEqual(kit.holding(), []);
  kit.wait(DAY_MS);
  kit.take("SECOND_FACTOR_ASKED", { actor: WEB, isNewNetwork: true });
  wrong();
  const asked = "password_without_code 203.0.113.9";
  assert.deepEqual(kit.holding(), [asked], "the first four are from the day before");
  for (let i = 0; i < 4; i++) wrong();
  assert.deepEqual(kit.holding(), [asked, "second_factor_guessed"]);
  assert.deepEqual(kit.afterMs(DAY_MS - 4_000), [], "a day after the first of the five");
});

test("a right password without a code is reported once for each address in a new network", () => {
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
  assert.deepEqual(kit.afterMs(DAY_MS), []);
});

for (const type of ["TOKEN_CREATED", "PASSKEY_ADDED", "SETTINGS_APPLIED", "FACTOR_ADDED"] as const)
  test(`a flood of changes leaves room for other alerts: ${type}`, () => {
    for (let i = 0; i < 60; i++) kit.take(type, { subject: `t${i}`, actor: WEB });
    assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
    assert.deepEqual(kit.afterMs(-2 * DAY_MS), [], "a clock that was set back");
  });
