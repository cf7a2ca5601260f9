import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccountName, parseAccountName } from "../net/address.ts";
import { passwordProblem } from "./passwords.ts";

const anna: AccountName | null = parseAccountName("anna@example.org");

test("ten characters are enough, nine are not, counted as people count", () => {
  assert.equal(passwordProblem("0123456789", anna), null);
  assert.match(passwordProblem("012345678", anna) ?? "", /at least 10/);
  assert.match(passwordProblem("🔑🔑🔑🔑🔑", anna) ?? "", /at least 10/);
  assert.equal(passwordProblem("🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑", anna), null);
});

test("the account's own name is refused in any case, and only for its account", () => {
  assert.match(passwordProblem("my-ANNA-pass", anna) ?? "", /name of the account/);
  assert.equal(passwordProblem("my-ANNA-pass", null), null);
});

test("a password may contain an account name of two letters, but not of three", () => {
  assert.equal(passwordProblem("my-jo-password", parseAccountName("jo@example.org")), null);
  assert.match(passwordProblem("my-joe-password", parseAccountName("joe@example.org")) ?? "", /name of the account/);
});

test("a password that no mail program could send is refused", () => {
  assert.match(passwordProblem("0123456789\n", anna) ?? "", /control character/);
  assert.match(passwordProblem(Buffer.from("p\xe4sswort lang", "latin1").toString(), anna) ?? "", /not UTF-8/);
  assert.match(passwordProblem("x".repeat(513), anna) ?? "", /at most 512/);
  assert.equal(passwordProblem("x".repeat(512), anna), null);
});
