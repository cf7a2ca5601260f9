// Invariant: Encrypted mail arrives without the private key, which is in no backup; a second pair of keys is never made.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, modeOf } from "../../../test/kit/files.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { lockedBecause, placeMailKey, prepareMailKeys, publicHalf, whyNoNewKeys, withoutLostKey } from "./mail-keys.ts";

function scene() {
  const layout = temporaryLayout("mailPublicKey", "mailPrivateKey", "mailKeyConf");
  const { mailPublicKey: publicKey, mailPrivateKey: privateKey } = layout;
  const crypt = { encrypts: true, byAccount: false, publicKey, privateKey };
  const prepare = (byAccount = false) => prepareMailKeys({ mailCrypt: { ...crypt, byAccount }, layout });
  return { layout, crypt, prepare };
}

/** With the keys of a first start, of which `made` is the private one. */
function prepared() {
  const kit = scene();
  kit.prepare();
  return { ...kit, made: contentOf(kit.crypt.privateKey) };
}

/** Another server's private key. */
const otherKey = (): string => prepared().made;

test("one pair is created, readable only by root, and Dovecot's settings name the private key", () => {
  const { layout, crypt, prepare } = scene();
  assert.deepEqual(prepareMailKeys({ mailCrypt: null, layout }), { ok: true, changed: false });
  assert.equal(existsSync(crypt.publicKey), false);
  assert.deepEqual(prepare(), { ok: true, changed: true });
  const made = contentOf(crypt.privateKey);
  assert.match(made, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.equal(modeOf(crypt.privateKey), 0o600);
  assert.equal(publicHalf(made), contentOf(crypt.publicKey));
  assert.match(contentOf(layout.mailKeyConf), /private_key = <.*mail-key\.pem$/m);
  assert.equal(contentOf(layout.mailKeyLink), made);
  assert.ok(prepare().ok);
  assert.equal(contentOf(crypt.privateKey), made, "never a second one");
});

test("without the private key mail is only encrypted; no new pair is created", () => {
  const { layout, crypt, prepare } = prepared();
  const publicKey = contentOf(crypt.publicKey);
  rmSync(crypt.privateKey);
  assert.equal(placeMailKey(crypt, layout), true);
  assert.equal(placeMailKey(crypt, layout), false);
  assert.equal(existsSync(layout.mailKeyConf), false);
  assert.ok(prepare().ok);
  assert.equal(existsSync(crypt.privateKey), false);
  assert.equal(contentOf(crypt.publicKey), publicKey);
});

test("a private key that does not match, or is invalid, is refused and changes nothing", () => {
  const { layout, crypt, prepare } = prepared();
  writeFileSync(crypt.privateKey, otherKey());
  assert.match(reasonOf(prepare()), /does not match the public key/);
  writeFileSync(crypt.privateKey, "nonsense");
  assert.match(reasonOf(prepare()), /could not be prepared/);
  assert.equal(existsSync(layout.mailKeyConf), true);
});

test("no key is made in memory, where a reboot would lose it", () => {
  const { layout, crypt } = scene();
  const mailCrypt = { ...crypt, publicKey: "/proc/nowhere/public.pem", privateKey: "/run/no-such-directory/mail.pem" };
  const reason = reasonOf(prepareMailKeys({ mailCrypt, layout }));
  assert.match(reason, /^No key is made at \/run\/.* where a reboot would lose it/);
});

test("no key is used before it can be read, nor made in a directory that is missing", () => {
  const { layout, crypt } = scene();
  const at = (privateKey: string) => whyNoNewKeys({ mailCrypt: { ...crypt, privateKey }, layout }) ?? "";
  const own = join(layout.data, "own.pem");
  writeFileSync(own, "-----BEGIN PRIVATE KEY-----");
  assert.match(at(own), /own\.pem holds no private key that can be read/);
  assert.match(at("/proc/nowhere/own.pem"), /^The directory \/proc\/nowhere of mailboxes\.encryption_key does not/);
  for (const foreign of [
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
    generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({ type: "sec1", format: "pem" }),
  ]) {
    writeFileSync(own, foreign);
    assert.match(at(own), /own\.pem holds no private key that can be read: Dovecot reads only EC and RSA keys/);
  }
  assert.match(at("/proc/self/own.pem"), /^No key can be made in \/proc\/self \(mailboxes\.encryption_key\): /);
  const fresh = layoutOf(join(layout.data, "fresh"));
  const first = { ...crypt, publicKey: fresh.mailPublicKey, privateKey: fresh.mailPrivateKey };
  assert.equal(whyNoNewKeys({ mailCrypt: first, layout: fresh }), null, "a first start makes its directories");
  const site = { mailCrypt: { ...crypt, privateKey: own }, layout };
  assert.equal(withoutLostKey(site).mailCrypt, null);
  assert.ok(prepareMailKeys({ mailCrypt: crypt, layout }).ok);
  assert.equal(withoutLostKey(site), site, "the key was used, so its mail must stay readable");
});

test("a start continues without a private key that does not match", () => {
  const { layout, crypt } = prepared();
  for (const wrong of [otherKey(), "", "hello"]) {
    writeFileSync(crypt.privateKey, wrong);
    assert.ok(prepareMailKeys({ mailCrypt: crypt, layout }, true).ok);
    assert.equal(existsSync(layout.mailKeyConf), false);
  }
});

test("the public key is derived from an existing private key", () => {
  const { crypt, prepare } = scene();
  const key = otherKey();
  writeFileSync(crypt.privateKey, key);
  assert.ok(prepare().ok);
  assert.equal(contentOf(crypt.publicKey), publicHalf(key));
});

test("a key that was copied or moved elsewhere is read from there; an unchanged one is not written again", () => {
  const { layout, crypt, prepare, made } = prepared();
  const elsewhere = { ...crypt, privateKey: `${crypt.privateKey}.elsewhere` };
  copyFileSync(crypt.privateKey, elsewhere.privateKey);
  assert.deepEqual(prepareMailKeys({ mailCrypt: elsewhere, layout }), { ok: true, changed: false });
  rmSync(crypt.privateKey);
  assert.equal(contentOf(layout.mailKeyLink), made);
  assert.equal(placeMailKey(elsewhere, layout), false);

  renameSync(elsewhere.privateKey, crypt.privateKey);
  assert.deepEqual(prepare(), { ok: true, changed: false });
  assert.equal(contentOf(layout.mailKeyLink), made);
  const written = statSync(layout.mailKeyConf).ino;
  placeMailKey(crypt, layout);
  assert.equal(statSync(layout.mailKeyConf).ino, written);
});

test("half a key, a different one or a directory counts as none, until the right one exists", () => {
  const { layout, crypt, made } = prepared();
  assert.equal(lockedBecause(crypt), null);
  for (const [wrong, says] of [
    [made.slice(0, 90), /holds no private key that can be read/],
    [otherKey(), /does not match the public key/],
  ] as const) {
    writeFileSync(crypt.privateKey, wrong);
    assert.match(lockedBecause(crypt) ?? "", says);
    assert.equal(placeMailKey(crypt, layout), true);
    assert.equal(placeMailKey(crypt, layout), false);
    assert.equal(existsSync(layout.mailKeyConf), false);
    writeFileSync(crypt.privateKey, made);
    assert.equal(placeMailKey(crypt, layout), true);
  }
  rmSync(crypt.privateKey);
  assert.match(lockedBecause(crypt) ?? "", /does not exist\.$/);
  mkdirSync(crypt.privateKey);
  assert.match(lockedBecause(crypt) ?? "", /holds no private key/);
  assert.equal(placeMailKey(crypt, layout), true);
});

test("keys of accounts use a recovery key, without which nothing is created; a missing key's placeholder is created once", () => {
  const { layout, crypt, prepare } = scene();
  assert.match(reasonOf(prepare(true)), /Make one first: run `encryption recovery-key`/);
  assert.deepEqual([existsSync(crypt.publicKey), existsSync(layout.mailNoKey)], [false, false]);
  writeFileSync(layout.mailRecoveryKey, "a public key");
  assert.ok(prepare(true).ok);
  const made = contentOf(layout.mailNoKey);
  assert.equal(modeOf(layout.mailNoKey), 0o600);
  assert.notEqual(made, contentOf(crypt.privateKey));
  assert.ok(prepare(true).ok);
  assert.equal(contentOf(layout.mailNoKey), made);
});
