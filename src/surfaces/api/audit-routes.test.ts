import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type Kit, startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";

const ENTRY = {
  id: 7,
  at: "2026-11-20T06:00:00.000Z",
  actor: "root",
  type: "TOKEN_CREATED",
  subject: "ci",
  detail: '{"grants":"read"}',
  previous: "0".repeat(64),
  hash: "a".repeat(64),
} as const;

async function get(kit: Kit, path: string) {
  const response = await fetch(`${kit.url}/api/v1/audit${path}`, { headers: bearer });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

test("the audit comes in pages, as the guard tells it", async (t) => {
  const kit = await startKit(t);
  kit.guard.replies.set("audit_list", { ok: true, result: { items: [ENTRY], next: "7" } });
  assert.deepEqual(await get(kit, "?limit=1"), { status: 200, answer: { items: [ENTRY], next: "7" } });
  await get(kit, "?cursor=7");
  assert.deepEqual(kit.guard.of("audit_list"), [
    { verb: "audit_list", limit: 1, cursor: null },
    { verb: "audit_list", limit: 50, cursor: "7" },
  ]);
  for (const wrong of ["?limit=0", "?limit=101", "?cursor=x", "?actor=root"])
    assert.equal((await get(kit, wrong)).status, 400, wrong);
});

test("the result of the last check is shown, or that there was none or the keeper does not answer", async (t) => {
  const kit = await startKit(t);
  assert.deepEqual(await get(kit, "/verify"), { status: 200, answer: { audit: null } });
  const fault = { id: 3, says: "entry 3 was changed" };
  const audit = {
    checkedAt: ENTRY.at,
    first: 1,
    last: 7,
    anchored: { id: 2, at: ENTRY.at },
    unreadableAnchors: 0,
    fault,
  };
  kit.guard.replies.set("audit_verify", { ok: true, result: { audit } });
  assert.deepEqual(await get(kit, "/verify"), { status: 200, answer: { audit } });
  kit.guard.replies.set("audit_verify", { ok: false, kind: "failed", message: "The keeper hung up.", next: "" });
  assert.partialDeepStrictEqual(await get(kit, "/verify"), { status: 409, answer: { detail: "The keeper hung up." } });
});

test("without the scope admin nothing of it is answered, and the guard is not asked", async (t) => {
  const kit = await startKit(t);
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow", "greylist", "queue"]));
  for (const path of ["", "/verify"])
    assert.partialDeepStrictEqual(await get(kit, path), { status: 403, answer: { code: "not_allowed" } }, path);
  assert.deepEqual(kit.guard.asked, []);
});
