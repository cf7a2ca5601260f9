import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordProof, policyNonce } from "./login-policy.ts";

const SECRET = "5".repeat(64);

test("a proof has twelve bits, and differs with the secret, the account and the password", () => {
  const proof = passwordProof(SECRET, "anna@example.org", "a long phrase");
  assert.match(proof, /^0[0-9a-f]{3}$/);
  assert.equal(proof, passwordProof(SECRET, "anna@example.org", "a long phrase"));
  const others = [
    passwordProof("6".repeat(64), "anna@example.org", "a long phrase"),
    passwordProof(SECRET, "bert@example.org", "a long phrase"),
    passwordProof(SECRET, "anna@example.org", "another phrase"),
  ];
  assert.equal(new Set([proof, ...others]).size, 4);
});

test("the nonce shows nothing of the secret", () => {
  assert.match(policyNonce(SECRET), /^[0-9a-f]{32}$/);
  assert.ok(!policyNonce(SECRET).includes("5555"));
});
