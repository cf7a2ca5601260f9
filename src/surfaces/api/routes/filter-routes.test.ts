import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type Kit, startKit } from "../../../../test/kit/api-kit.ts";

async function read(kit: Kit, path: string) {
  const response = await fetch(`${kit.url}/api/v1/${path}`, { headers: bearer });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

test("scores and mail that waits come from the events, without the guard", async (t) => {
  const kit = await startKit(t);
  kit.queries.add("SPAM_SCORED");
  kit.queries.add("GREYLIST_ASKED");
  const before = kit.guard.asked.length;
  const { answer } = await read(kit, "spam?limit=1");
  assert.partialDeepStrictEqual(answer, { items: [{ id: 1, score: 1.5, required: 5, isSpam: false }], next: "1" });
  assert.deepEqual((await read(kit, "greylist/waiting")).answer, { items: [], total: 0, complete: true });
  assert.equal(kit.guard.asked.length, before);
  kit.storeDown(true);
  for (const path of ["spam", "greylist/waiting"])
    assert.partialDeepStrictEqual(await read(kit, path), { status: 503, answer: { code: "store_down" } });
});
