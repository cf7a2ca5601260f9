import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import { ALGORITHMS, algorithmOf, hasSigned } from "./passkeys.ts";

const DATA = Buffer.from("what is signed");
const spkiOf = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent });

test("accepts the keys that authenticators create, and a signature of each", () => {
  for (const [{ publicKey, privateKey }, algorithm] of [
    [generateKeyPairSync("ec", { namedCurve: "P-256" }), -7],
    [generateKeyPairSync("ed25519"), -8],
    [rsa(2_048), -257],
  ] as const) {
    const spki = spkiOf(publicKey);
    assert.equal(algorithmOf(spki), algorithm);
    const key = { publicKey: spki, algorithm };
    const signature = sign(algorithm === ALGORITHMS.EDDSA ? null : "sha256", DATA, privateKey);
    assert.ok(hasSigned(key, DATA, signature));
    assert.ok(!hasSigned(key, Buffer.from("another"), signature));
    assert.ok(!hasSigned(key, DATA, Buffer.alloc(signature.length)));
    assert.ok(!hasSigned(key, DATA, Buffer.alloc(0)));
  }
});

test("refuses other keys: a different curve, a weak one, a slow one, and malformed ones", () => {
  for (const key of [
    generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey,
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey,
    generateKeyPairSync("x25519").publicKey,
    generateKeyPairSync("ed448").publicKey,
    rsa(1_024).publicKey,
    rsa(2_048, 3).publicKey,
  ])
    assert.equal(algorithmOf(spkiOf(key)), null);
  assert.equal(algorithmOf(Buffer.from("no key")), null);
  assert.equal(algorithmOf(Buffer.alloc(0)), null);
  assert.ok(!hasSigned({ publicKey: Buffer.from("no key"), algorithm: -7 }, DATA, Buffer.alloc(64)));
});
