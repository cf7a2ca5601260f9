import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { lockOf } from "./account-key.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const der = privateKey.export({ type: "pkcs8", format: "der" });

test("OpenSSL opens it with the passphrase alone", async () => {
  const locked = (await lockOf("a long phrase"))(der);
  assert.match(locked, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END /);
  const opened = createPrivateKey({ key: locked, passphrase: "a long phrase" });
  assert.deepEqual(opened.export({ type: "pkcs8", format: "der" }), der);
  assert.throws(() => createPrivateKey({ key: locked, passphrase: "another phrase" }));
});

test("the same key looks different each time, and one lock closes several, long ones too", async () => {
  const lock = await lockOf("x");
  const [one, other] = [lock(der), lock(der)];
  assert.notEqual(one, other);
  assert.notEqual(one.slice(0, 128), (await lockOf("x"))(der).slice(0, 128), "another salt");
  const long = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "der" });
  for (const [locked, key] of [
    [other, der],
    [lock(long), long],
  ] as const)
    assert.deepEqual(createPrivateKey({ key: locked, passphrase: "x" }).export({ type: "pkcs8", format: "der" }), key);
});
