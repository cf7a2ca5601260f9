import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf } from "../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../test/kit/fake-guard.ts";
import { HOUR_MS } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { createHealthReader, metrics } from "./health.ts";
import { API_LIMITS } from "./limits.ts";

const kit = apiKitOf(import.meta.filename);

test("strangers see only the version, names and states", async () => {
  const response = await fetch(`${kit.url}/healthz`);
  assert.equal(response.status, 200);
  const components = ["guard", "postfix"].map((name) => ({ name, status: "ok" }));
  assert.deepEqual(await response.json(), { version: VERSION, status: "ok", components });
});

test("down is 503 and degraded is not; the liveness route always answers 200", async () => {
  const all = (): Promise<readonly number[]> => {
    kit.advance(API_LIMITS.healthAgeMs);
    return Promise.all(["", "/ready", "/live"].map(async (path) => (await fetch(`${kit.url}/healthz${path}`)).status));
  };
  assert.deepEqual(await all(), [200, 200, 200]);
  kit.guard.answers("health", { ...HEALTH, status: "degraded" });
  assert.deepEqual(await all(), [200, 200, 200]);
  kit.guard.answers("health", { ...HEALTH, status: "down" });
  assert.deepEqual(await all(), [503, 200, 200], "the guard is ready although mail is not");
  kit.guard.isDown = true;
  assert.deepEqual(await all(), [503, 503, 200]);
  kit.guard.isDown = false;
  kit.guard.answers("health", HEALTH);
  kit.storeDown(true);
  assert.deepEqual(await all(), [503, 503, 200]);
});

test("a guard that does not answer is a task for the owner, and down in the metrics", async () => {
  kit.guard.isDown = true;
  const reader = createHealthReader(kit.parts);
  const codes = (await reader.read()).needsYou.map(({ code }) => code);
  assert.deepEqual(codes, ["guard_down"]);
  assert.match(await metrics(kit.parts, reader), /\nghostinbox_component_up\{component="guard"\} 0\n/);
});

test("many simultaneous requests are one question to the guard", async () => {
  const reader = createHealthReader(kit.parts);
  await Promise.all(Array.from({ length: 50 }, () => reader.read()));
  assert.equal(kit.guard.asked.length, 1);
  kit.advance(API_LIMITS.healthAgeMs);
  await reader.read();
  assert.equal(kit.guard.asked.length, 2);
  kit.advance(-HOUR_MS);
  await reader.read();
  assert.equal(kit.guard.asked.length, 3, "an answer of the future, from before the clock was set back, is not kept");
});
