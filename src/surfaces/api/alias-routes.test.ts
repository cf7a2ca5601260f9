import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";

const INFO = "info@example.org";
const TARGETS = ["anna@example.org", "bert@example.net"];

async function started(t: TestContext) {
  const kit = await startKit(t);
  const send = async (method: string, path: string, body?: unknown) => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${kit.url}/api/v1/aliases${path}`, { method, headers: bearer, ...content });
    const answer: unknown = await response.json();
    return { status: response.status, answer };
  };
  return { kit, send };
}

test("aliases are listed, added, blocked and removed by commands of the guard", async (t) => {
  const { kit, send } = await started(t);
  const alias = { address: INFO, targets: TARGETS, blocked: false };
  const page = { next: INFO, total: 2 };
  kit.guard.replies.set("alias_list", { ok: true, result: { items: [alias], ...page } });
  for (const verb of ["alias_add", "alias_block", "alias_remove"] as const)
    kit.guard.replies.set(verb, { ok: true, result: { address: INFO } });
  const done = (status: number) => ({ status, answer: { address: INFO } });
  assert.deepEqual(await send("GET", "?limit=1&text=info"), { status: 200, answer: { items: [alias], ...page } });
  assert.deepEqual(await send("POST", "", { address: INFO, targets: TARGETS }), done(201));
  assert.deepEqual(await send("POST", `/${INFO}/block`), done(200));
  assert.deepEqual(await send("POST", `/${INFO}/unblock`), done(200));
  assert.deepEqual(await send("DELETE", `/${INFO}`), done(200));
  assert.deepEqual(
    kit.guard.asked.map(({ command }) => command),
    [
      { verb: "alias_list", limit: 1, cursor: null, text: "info" },
      { verb: "alias_add", address: INFO, targets: TARGETS },
      { verb: "alias_block", address: INFO, blocked: true },
      { verb: "alias_block", address: INFO, blocked: false },
      { verb: "alias_remove", address: INFO },
    ],
  );
  for (const wrong of [{ targets: [] }, { targets: ["nonsense"] }, { address: "@example.org" }, { more: 1 }])
    assert.equal((await send("POST", "", { address: INFO, targets: TARGETS, ...wrong })).status, 400);
});

test("without the scope admin nothing of it is answered, and the guard is not asked", async (t) => {
  const { kit, send } = await started(t);
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow"]));
  for (const [method, path, body] of [
    ["GET", ""],
    ["POST", "", { address: INFO, targets: TARGETS }],
    ["POST", `/${INFO}/block`],
    ["POST", `/${INFO}/unblock`],
    ["DELETE", `/${INFO}`],
  ] as const)
    assert.equal((await send(method, path, body)).status, 403, `${method} ${path}`);
  assert.deepEqual(kit.guard.asked, []);
});
