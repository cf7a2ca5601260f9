import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";
import { HEALTH } from "../../../test/kit/fake-guard.ts";
import { VERSION } from "../../core/version.ts";
import { HealthReader } from "./health.ts";
import { API_LIMITS } from "./limits.ts";

test("strangers see the version, names and states, nothing else", async (t) => {
  const kit = await startKit(t);
  const response = await fetch(`${kit.url}/healthz`);
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.deepEqual(JSON.parse(text), {
    version: VERSION,
    status: "ok",
    components: [
      { name: "guard", status: "ok" },
      { name: "postfix", status: "ok" },
    ],
  });
});

test("down is 503, degraded is not; alive is alive whatever is down", async (t) => {
  const kit = await startKit(t);
  const status = async (path: string): Promise<number> => {
    kit.advance(API_LIMITS.healthAgeMs);
    return (await fetch(`${kit.url}${path}`)).status;
  };
  const all = async (): Promise<readonly number[]> =>
    Promise.all([status("/healthz"), status("/healthz/ready"), status("/healthz/live")]);
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

test("a guard that does not answer is what waits for the owner", async (t) => {
  const kit = await startKit(t);
  kit.guard.isDown = true;
  const { needsYou } = await new HealthReader(kit.parts).read();
  assert.deepEqual(
    needsYou.map(({ code }) => code),
    ["guard_down"],
  );
});

test("a crowd that asks at once is one question to the guard", async (t) => {
  const kit = await startKit(t);
  const reader = new HealthReader(kit.parts);
  await Promise.all(Array.from({ length: 50 }, () => reader.read()));
  assert.equal(kit.guard.asked.length, 1);
  kit.advance(API_LIMITS.healthAgeMs);
  await reader.read();
  assert.equal(kit.guard.asked.length, 2);
});
