import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";

const INFO = "info@example.org";
const TARGETS = ["anna@example.org", "bert@example.net"];

test("aliases are listed, added, blocked and removed by commands of the guard", async (t) => {
  const kit = await startKit(t);
  const send = (method: string, path: string, body?: unknown) => kit.send(method, `aliases${path}`, body);
  const alias = { address: INFO, targets: TARGETS, blocked: false };
  const page = { next: INFO, total: 2 };
  kit.guard.answers("alias_list", { items: [alias], ...page });
  for (const verb of ["alias_add", "alias_block", "alias_remove"] as const) kit.guard.answers(verb, { address: INFO });
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
