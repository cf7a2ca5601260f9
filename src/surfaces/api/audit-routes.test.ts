import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";

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

test("the audit comes in pages, as the guard tells it", async (t) => {
  const kit = await startKit(t);
  kit.guard.answers("audit_list", { items: [ENTRY], next: "7" });
  assert.deepEqual(await kit.send("GET", "audit?limit=1"), { status: 200, answer: { items: [ENTRY], next: "7" } });
  await kit.send("GET", "audit?cursor=7");
  assert.deepEqual(kit.guard.of("audit_list"), [
    { verb: "audit_list", limit: 1, cursor: null },
    { verb: "audit_list", limit: 50, cursor: "7" },
  ]);
  for (const wrong of ["?limit=0", "?limit=101", "?cursor=x", "?actor=root"])
    assert.equal((await kit.send("GET", `audit${wrong}`)).status, 400, wrong);
});

test("the result of the last check is shown, or that there was none or the keeper does not answer", async (t) => {
  const kit = await startKit(t);
  assert.deepEqual(await kit.send("GET", "audit/verify"), { status: 200, answer: { audit: null } });
  const fault = { id: 3, says: "entry 3 was changed" };
  const audit = {
    checkedAt: ENTRY.at,
    first: 1,
    last: 7,
    anchored: { id: 2, at: ENTRY.at },
    unreadableAnchors: 0,
    fault,
  };
  kit.guard.answers("audit_verify", { audit });
  assert.deepEqual(await kit.send("GET", "audit/verify"), { status: 200, answer: { audit } });
  kit.guard.refuses("audit_verify", "The keeper hung up.");
  assert.partialDeepStrictEqual(await kit.send("GET", "audit/verify"), {
    status: 409,
    answer: { detail: "The keeper hung up." },
  });
});
