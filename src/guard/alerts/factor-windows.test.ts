import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";

const WEB = "web:admin via 203.0.113.9";

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

test("a repeated change is reported again", () => {
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

test("a flood of changes leaves room for other alerts", () => {
  const kit = windows();
  for (let i = 0; i < 60; i++) kit.take("FACTOR_ADDED", { subject: `key ${i}`, actor: WEB });
  assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
  kit.wait(-2 * DAY_MS);
  assert.deepEqual(kit.holding(), [], "a clock that was set back");
});
