import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { passwordHashOf } from "../../mail/dovecot/login-policy.ts";
import { hashed, hashPassword, verifyByDovecot, verifyPassword } from "./password-hash.ts";

test("a password verifies against its own hash only, and salts differ", async () => {
  const hash = await hashPassword("correct horse");
  assert.match(hash, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verifyPassword(hash, "correct horse"), true);
  assert.equal(await verifyPassword(hash, "correct horsf"), false);
  assert.notEqual(await hashPassword("correct horse"), hash);
});

test("a malformed, foreign or excessively costly hash never verifies", async () => {
  const hash = await hashPassword("correct horse");
  for (const other of ["", "correct horse", "{PLAIN}correct horse", hash.slice(10), `${hash}\n`, hash.slice(0, -30)])
    assert.equal(await verifyPassword(other, "correct horse"), false, other);
  assert.equal(await verifyPassword(hash.replace("m=19456", "m=9999999"), "correct horse"), false);
  assert.equal(await verifyPassword(hash.replace("t=2", "t=0"), "correct horse"), false);
});

const ANNA = accountName("anna@example.org");
const PASSWORD = ' lamp $orchid "kettle% ü';

test("Dovecot accepts our hash, even of a password beyond ASCII", installed("doveadm"), async () => {
  const hash = await hashPassword(PASSWORD);
  assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD), { is: "right" });
  assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD.trim()), { is: "wrong" });
});

describe("another server's hash", installed("doveadm"), () => {
  for (const scheme of ["SHA512-CRYPT", "BLF-CRYPT", "SSHA512", "PBKDF2", "MD5-CRYPT", "DIGEST-MD5"])
    test(`${scheme} is verified`, async () => {
      const made = await runProgram("doveadm", ["-c", "/dev/null", "pw", "-u", ANNA, "-s", scheme, "-p", PASSWORD]);
      const hash = made.stdout.trim();
      assert.ok(hash.startsWith(`{${scheme}}`), made.stderr);
      assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD), { is: "right" });
      assert.deepEqual(await verifyByDovecot(ANNA, hash, PASSWORD.trim()), { is: "wrong" });
    });

  test("a scheme that Dovecot does not know is neither right nor wrong", async () => {
    const { is } = await verifyByDovecot(ANNA, "{NO-SUCH}x", PASSWORD);
    assert.equal(is, "unknown");
  });
});

test("a hash is passed on, clear text is hashed, and its short hash is known", async () => {
  const secretFile = join(temporaryDirectory(), "secret");
  writeFileSync(secretFile, "a secret\n");
  const hash = "{BLF-CRYPT}$2y$05$x";
  const given = { line: 1, unused: [], name: ANNA, quotaBytes: null, secret: { type: "hash", hash } } as const;
  assert.deepEqual(await hashed(given, secretFile), { name: ANNA, hash, passwordHash: "" });
  const line = { ...given, quotaBytes: 1_024, secret: { type: "plain", password: "some words" } } as const;
  const clear = await hashed(line, secretFile);
  assert.equal(clear.quotaBytes, 1_024);
  assert.ok(await verifyPassword(clear.hash, "some words"));
  assert.equal(clear.passwordHash, passwordHashOf("a secret", ANNA, "some words"));
  assert.equal(
    (await hashed(line, join(secretFile, "none"))).passwordHash,
    "",
    "without the secret the short hash is unknown",
  );
});
