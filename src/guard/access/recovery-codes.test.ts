import assert from "node:assert/strict";
import { test } from "node:test";
import { newRecoveryCodes, RECOVERY_CODES, recoveryDigest } from "./one-time-codes.ts";

test("creates ten different codes of 80 bits, and stores only their digests", () => {
  const { codes, digests } = newRecoveryCodes();
  assert.equal(RECOVERY_CODES, 10);
  assert.deepEqual([codes.length, new Set(codes).size, new Set(digests).size], [10, 10, 10]);
  for (const [i, code] of codes.entries()) {
    assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    assert.equal(recoveryDigest(code.replaceAll("-", "")), digests[i]);
  }
});

test("an invalid code is not looked up", () => {
  for (const wrong of ["", "123456", "a".repeat(15), "a".repeat(17), "0".repeat(16), "A".repeat(16)])
    assert.equal(recoveryDigest(wrong), null, wrong);
});
