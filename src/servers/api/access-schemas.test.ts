import assert from "node:assert/strict";
import { test } from "node:test";
import { sessionInPath, tokenInPath, tokenRequest } from "./access-schemas.ts";

test("a token is asked for with a plain name, at least one scope, and a time that is one", () => {
  const asked = { name: "ci", scopes: ["read", "ban"] };
  assert.ok(tokenRequest.safeParse(asked).success);
  assert.ok(tokenRequest.safeParse({ ...asked, expires: "90d" }).success);
  assert.ok(tokenRequest.safeParse({ ...asked, scopes: ["viewer", "ban"] }).success);
  for (const wrong of [
    { name: "" },
    { name: "x".repeat(65) },
    { scopes: [] },
    { scopes: ["root"] },
    { expires: "0s" },
    { role: "owner" },
  ])
    assert.ok(!tokenRequest.safeParse({ ...asked, ...wrong }).success, JSON.stringify(wrong));
});

test("only what can be a session or a token is looked for", () => {
  assert.ok(sessionInPath.safeParse({ id: "0a1b2c3d4e5f" }).success);
  for (const id of ["", "0A1b2c3d4e5f", "0a1b2c3d4e5f0", "../x"]) assert.ok(!sessionInPath.safeParse({ id }).success);
  assert.ok(!tokenInPath.safeParse({ name: "a/b" }).success);
});
