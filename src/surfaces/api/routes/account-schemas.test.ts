import assert from "node:assert/strict";
import { test } from "node:test";
import { accountInPath, newAccount } from "./account-schemas.ts";

const ANNA = "anna@example.org";

test("only what can be an account is looked for", () => {
  assert.ok(accountInPath.safeParse({ name: ANNA }).success);
  for (const name of ["", "anna", "anna/../x@example.org", "anna+x@example.org", `${"a".repeat(65)}@example.org`])
    assert.ok(!accountInPath.safeParse({ name }).success, name);
});

test("a new account has a name, and a password or none", () => {
  const asked = (more: object) => newAccount.safeParse({ name: ANNA, ...more }).success;
  assert.deepEqual([{}, { password: "x" }, { password: "" }, { password: null }, { hash: "x" }].map(asked), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
