import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { passwordProof } from "../../mail/dovecot/login-policy.ts";
import { hashed, verifyPassword } from "./password-hash.ts";

const name = parseAccountName("anna@example.org");

test("a hash is passed on, clear text is hashed, and Dovecot's proof of it is known", async () => {
  assert.ok(name !== null);
  const secretFile = join(temporaryDirectory(), "secret");
  writeFileSync(secretFile, "a secret\n");
  const hash = "{BLF-CRYPT}$2y$05$x";
  const given = { line: 1, unused: [], name, quotaBytes: null, secret: { type: "hash", hash } } as const;
  assert.deepEqual(await hashed(given, secretFile), { name, hash, proof: "" });
  const line = {
    line: 1,
    unused: [],
    name,
    quotaBytes: 1_024,
    secret: { type: "plain", password: "some words" },
  } as const;
  const clear = await hashed(line, secretFile);
  assert.equal(clear.quotaBytes, 1_024);
  assert.ok(await verifyPassword(clear.hash, "some words"));
  assert.equal(clear.proof, passwordProof("a secret", name, "some words"));
  assert.equal((await hashed(line, join(secretFile, "none"))).proof, "", "without the secret nothing is known");
});
