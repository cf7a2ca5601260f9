import assert from "node:assert/strict";
import { test } from "node:test";
import { windows } from "../../../test/kit/alert-windows-kit.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";

const WEB = "web:admin via 203.0.113.9";

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

test("a flood of tokens leaves room for other alerts", () => {
  const kit = windows();
  for (let i = 0; i < 60; i++) kit.take("TOKEN_CREATED", { subject: `t${i}`, actor: WEB });
  assert.equal(kit.holding().length, 21, "the further ones share one alert for that hour");
  kit.wait(-2 * DAY_MS);
  assert.deepEqual(kit.holding(), [], "a clock that was set back");
});
