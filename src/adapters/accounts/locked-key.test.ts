import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { lockKey } from "./locked-key.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const der = privateKey.export({ type: "pkcs8", format: "der" });

test("OpenSSL opens it with the passphrase alone", async () => {
  const locked = await lockKey(der, "a long phrase");
  assert.match(locked, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END /);
  const opened = createPrivateKey({ key: locked, passphrase: "a long phrase" });
  assert.deepEqual(opened.export({ type: "pkcs8", format: "der" }), der);
  assert.throws(() => createPrivateKey({ key: locked, passphrase: "another phrase" }));
});

test("the same key looks different each time, and long ones are closed too", async () => {
  assert.notEqual(await lockKey(der, "x"), await lockKey(der, "x"));
  const long = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "der" });
  const opened = createPrivateKey({ key: await lockKey(long, "x"), passphrase: "x" });
  assert.deepEqual(opened.export({ type: "pkcs8", format: "der" }), long);
});
