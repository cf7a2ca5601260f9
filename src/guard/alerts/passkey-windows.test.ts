import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";

const WEB = "web:admin via 203.0.113.9";

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

test("a flood of changes leaves room for other alerts", () => {
  const kit = windows();
  for (let i = 0; i < 60; i++) kit.take("PASSKEY_ADDED", { subject: `k${i}`, actor: WEB });
  assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
  kit.wait(-2 * DAY_MS);
  assert.deepEqual(kit.holding(), [], "a clock that was set back");
});
