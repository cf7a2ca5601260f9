import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, HOUR_MS, instant, later, SECOND_MS } from "../../core/time.ts";
import {
  base32,
  codeAt,
  isTotp,
  newRecoveryCodes,
  RECOVERY_CODES,
  recoveryDigest,
  STEP_MS,
  stepOf,
  uriOf,
} from "./one-time-codes.ts";

const SECRET = Buffer.from("12345678901234567890");
const T0 = instant(1_800_000_000_000);
const STEP = T0 / STEP_MS;

test("the vectors of RFC 6238, appendix B, and one of RFC 4226, in their last six digits", () => {
  const vectors = [
    [0, "84755224"],
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ] as const;
  for (const [seconds, code] of vectors)
    assert.equal(codeAt(SECRET, Math.floor((seconds * SECOND_MS) / STEP_MS)), code.slice(2), `${seconds} s`);
});

test("a code is accepted one step early or late, and no further", () => {
  const fresh = { secret: SECRET, lastStep: 0 };
  const steps = [-2, -1, 0, 1, 2].map((off) => stepOf(fresh, codeAt(SECRET, STEP + off), T0));
  assert.deepEqual(steps, [null, STEP - 1, STEP, STEP + 1, null]);
  assert.equal(stepOf(fresh, codeAt(SECRET, STEP), later(T0, STEP_MS - 1)), STEP);
  assert.equal(stepOf(fresh, codeAt(SECRET, 1), instant(0)), 1, "even if the clock starts at 1970");
});

test("a code used while the clock was far ahead locks no one out once the clock is right", () => {
  const code = codeAt(SECRET, STEP);
  assert.equal(stepOf({ secret: SECRET, lastStep: STEP + DAY_MS / STEP_MS }, code, T0), STEP);
  assert.equal(stepOf({ secret: SECRET, lastStep: STEP + HOUR_MS / STEP_MS }, code, T0), null, "a little ahead");
});

test("only six digits are a code", () => {
  for (const wrong of ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"]) {
    assert.ok(!isTotp(wrong), wrong);
    assert.equal(stepOf({ secret: SECRET, lastStep: 0 }, wrong, T0), null);
  }
  assert.ok(isTotp("000000"));
});

test("the address for the app names the server, whatever characters its name contains", () => {
  const path = "totp/GhostInbox%3Aadmin%40mail.example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=GhostInbox";
  assert.equal(uriOf(SECRET, "mail.example.org"), `otpauth://${path}`);
});

test("the vectors of RFC 4648, 10, without their padding", () => {
  const encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map((plain) => base32(Buffer.from(plain)));
  assert.deepEqual(encoded, ["", "MY", "MZXQ", "MZXW6", "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"]);
});

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
