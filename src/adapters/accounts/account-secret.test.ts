import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccountName } from "../../core/net/address.ts";
import { hashed } from "./account-secret.ts";
import { verifyPassword } from "./password-hash.ts";

const name = parseAccountName("anna@example.org");

test("a hash is passed on, clear text is hashed", async () => {
  assert.ok(name !== null);
  const hash = "{BLF-CRYPT}$2y$05$x";
  assert.deepEqual(await hashed({ line: 1, name, secret: { type: "hash", hash } }), { name, hash });
  const clear = await hashed({ line: 1, name, secret: { type: "plain", password: "some words" } });
  assert.ok(await verifyPassword(clear.hash, "some words"));
});
