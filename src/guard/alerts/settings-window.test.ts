import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS } from "../../core/time.ts";

const WEB = "web:admin via 203.0.113.9";
const CHANGED = { subject: "limits.mail.per_minute = 20, was 10", actor: WEB };

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

test("a flood of changes leaves room for other alerts", () => {
  const kit = windows();
  for (let i = 0; i < 60; i++) kit.take("SETTINGS_APPLIED", CHANGED);
  assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
  kit.wait(-2 * DAY_MS);
  assert.deepEqual(kit.holding(), [], "a clock that was set back");
});
