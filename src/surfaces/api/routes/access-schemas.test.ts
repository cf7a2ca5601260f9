import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenRequest } from "./account-schemas.ts";

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
