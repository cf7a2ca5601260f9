import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type Kit, startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { INCIDENTS } from "../../../test/kit/told-samples.ts";

async function get(kit: Kit, path: string) {
  const response = await fetch(`${kit.url}/api/v1/${path}`, { headers: bearer });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

/** By route: the guard's verb, its result, and what is answered. */
const TOLD = {
  incidents: ["incident_list", INCIDENTS, INCIDENTS],
} as const;

for (const [path, [verb, result, answer]] of Object.entries(TOLD)) {
  test(`${path}: what the keeper tells the guard is answered, or why it does not`, async (t) => {
    const kit = await startKit(t);
    assert.equal((await get(kit, path)).status, 200);
    kit.guard.replies.set(verb, { ok: true, result });
    assert.deepEqual(await get(kit, path), { status: 200, answer });
    kit.guard.replies.set(verb, { ok: false, kind: "failed", message: "The keeper hung up.", next: "" });
    assert.partialDeepStrictEqual(await get(kit, path), { status: 409, answer: { detail: "The keeper hung up." } });
  });

  test(`${path}: without the scope that it needs nothing is answered, and the guard is not asked`, async (t) => {
    const kit = await startKit(t);
    kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow", "greylist", "queue"]));
    assert.partialDeepStrictEqual(await get(kit, path), { status: 403, answer: { code: "not_allowed" } });
    assert.deepEqual(kit.guard.asked, []);
  });
}
