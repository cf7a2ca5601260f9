import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccountName } from "../../core/net/address.ts";
import { passwordProof } from "../../mail/dovecot/login-policy.ts";
import { verifyPassword } from "./password-hash.ts";
import { AccountSecrets, PasswordTurns } from "./password-turns.ts";

test("each password gets a hash that fits only it, and the proof that Dovecot will send", async () => {
  const owners = ["anna@example.test", "bert@example.test"].map(
    (name) => parseAccountName(name) ?? assert.fail("no account"),
  );
  const asked = owners.map((owner, i) => ({ owner, password: `password of ${i}` }));
  const made = await new AccountSecrets(new PasswordTurns(), "secret").make(asked);
  assert.equal(made.length, 2);
  for (const [i, { hash, proof }] of made.entries()) {
    for (const [j, { password }] of asked.entries()) assert.equal(await verifyPassword(hash, password), i === j);
    assert.equal(proof, passwordProof("secret", owners[i] ?? "", `password of ${i}`));
  }
});
