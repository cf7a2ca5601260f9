import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { hashPassword, verifyPassword } from "./password-hash.ts";

test("a password verifies against its own hash only, and salts differ", async () => {
  const hash = await hashPassword("correct horse");
  assert.match(hash, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verifyPassword(hash, "correct horse"), true);
  assert.equal(await verifyPassword(hash, "correct horsf"), false);
  assert.notEqual(await hashPassword("correct horse"), hash);
});

test("a strange, foreign or ruinous hash never verifies", async () => {
  const hash = await hashPassword("correct horse");
  for (const other of ["", "correct horse", "{PLAIN}correct horse", hash.slice(10), `${hash}\n`, hash.slice(0, -30)])
    assert.equal(await verifyPassword(other, "correct horse"), false, other);
  assert.equal(await verifyPassword(hash.replace("m=19456", "m=9999999"), "correct horse"), false);
  assert.equal(await verifyPassword(hash.replace("t=2", "t=0"), "correct horse"), false);
});

test("Dovecot accepts it", { skip: lacking({ installed: ["doveadm"] }) }, async () => {
  const hash = await hashPassword("correct hörse");
  assert.equal(spawnSync("doveadm", ["pw", "-t", hash, "-p", "correct hörse"]).status, 0);
  assert.notEqual(spawnSync("doveadm", ["pw", "-t", hash, "-p", "wrong"]).status, 0);
});
