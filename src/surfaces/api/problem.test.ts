import assert from "node:assert/strict";
import { test } from "node:test";
import { guardDown, loginRefused, problem, unauthorized } from "./problem.ts";

test("a problem has the form of RFC 9457", async () => {
  const response = problem("refused", "No.", { next: "Nothing.", headers: { allow: "GET" } });
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(response.headers.get("allow"), "GET");
  const body = { status: 409, code: "refused", detail: "No.", next: "Nothing." };
  assert.deepEqual(await response.json(), { type: "about:blank", title: "Conflict", ...body });
});

test("a refused caller learns how to ask, and one that came too early when to retry", () => {
  assert.equal(unauthorized().headers.get("www-authenticate"), 'Bearer realm="GhostInbox"');
  assert.equal(loginRefused(401).headers.get("www-authenticate"), null, "a browser would open its own dialog");
  for (const response of [guardDown(), loginRefused(429)]) assert.equal(response.headers.get("retry-after"), "5");
  assert.equal(loginRefused(401).headers.get("retry-after"), null);
  for (const code of ["store_down", "timeout", "too_many_streams"] as const)
    assert.equal(problem(code, "No.").headers.get("retry-after"), "5");
  const later = problem("too_many_keys", "No.", { headers: { "retry-after": "3600" } });
  assert.equal(later.headers.get("retry-after"), "3600");
});
