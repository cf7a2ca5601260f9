import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../../test/kit/api-kit.ts";

test("scores and mail that waits come from the events, without the guard", async (t) => {
  const kit = await startKit(t);
  kit.queries.add("SPAM_SCORED");
  kit.queries.add("GREYLIST_ASKED");
  const before = kit.guard.asked.length;
  const { answer } = await kit.send("GET", "spam?limit=1");
  assert.partialDeepStrictEqual(answer, { items: [{ id: 1, score: 1.5, required: 5, isSpam: false }], next: "1" });
  assert.deepEqual((await kit.send("GET", "greylist/waiting")).answer, { items: [], total: 0, complete: true });
  assert.equal(kit.guard.asked.length, before);
  kit.storeDown(true);
  for (const path of ["spam", "greylist/waiting"])
    assert.partialDeepStrictEqual(await kit.send("GET", path), { status: 503, answer: { code: "store_down" } });
});
