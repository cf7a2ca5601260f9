import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { AccountKey } from "../../admin/declare/account-key.ts";
import { lockAgain, lockOf, makeAccountKey, makeRecoveryKeys, recoverKey } from "./account-key.ts";

const owner = await makeRecoveryKeys();
const recoveryKey = createPrivateKey(owner.privateKey);
const FIRST = 'it\'s 100%{u} "ünusual"';
const key = await makeAccountKey(FIRST, owner.publicKey);

/** Opens a key as Dovecot does at a sign-in. */
function open({ locked }: AccountKey, password: string) {
  const passphrase = createHash("sha256").update(password).digest("hex");
  return createPrivateKey({ key: Buffer.from(locked, "base64").toString(), passphrase });
}

test("the password opens the key, and another password does not", () => {
  const half = createPublicKey(open(key, FIRST)).export({ type: "spki", format: "pem" });
  assert.equal(half, Buffer.from(key.publicKey, "base64").toString());
  assert.match(key.id, /^[0-9a-f]{64}$/);
  assert.throws(() => open(key, "another password"));
});

test("the recovery key opens the key and locks it for another password; another recovery key does neither", async () => {
  const pem = open(key, FIRST).export({ type: "pkcs8", format: "pem" });
  assert.equal(recoverKey(key, recoveryKey), pem);
  const [again] = (await lockAgain([key], recoveryKey, "a new phrase")) ?? [];
  assert.ok(again !== undefined);
  assert.equal(open(again, "a new phrase").export({ type: "pkcs8", format: "pem" }), pem);
  assert.deepEqual({ ...again, locked: "" }, { ...key, locked: "" });
  const other = createPrivateKey((await makeRecoveryKeys()).privateKey);
  assert.equal(recoverKey(key, other), null);
  assert.equal(await lockAgain([key], other, "a new phrase"), null);
});

test("a replaced key is not mistaken for the original", async () => {
  const other = await makeAccountKey(FIRST, owner.publicKey);
  assert.equal(recoverKey({ ...key, recoverable: other.recoverable }, recoveryKey), null);
  assert.equal(recoverKey({ ...key, recoverable: "" }, recoveryKey), null);
});

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const der = privateKey.export({ type: "pkcs8", format: "der" });

test("OpenSSL opens locked keys; the same key looks different each time, and a lock takes several keys, even long ones", async () => {
  const lock = await lockOf("x");
  const [one, other] = [lock(der), lock(der)];
  assert.match(one, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END /);
  assert.notEqual(one, other);
  assert.notEqual(one.slice(0, 128), (await lockOf("x"))(der).slice(0, 128), "another salt");
  const long = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "der" });
  const opened = (locked: string) =>
    createPrivateKey({ key: locked, passphrase: "x" }).export({ type: "pkcs8", format: "der" });
  assert.deepEqual([opened(other), opened(lock(long))], [der, long]);
});
