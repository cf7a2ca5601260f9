import { randomBytes } from "node:crypto";
import { base32 } from "./base32.ts";
import { digestOf } from "./secrets.ts";

/** How many are created at a time. */
export const RECOVERY_CODES = 10;
/** 80 bits: all guesses that the server could check in a thousand years find none. */
const CODE_BYTES = 10;
const SHAPE = /^[a-z2-7]{16}$/;

/** `codes`: to be shown once, in groups of four. `digests`: to be stored. */
export function newRecoveryCodes(): Readonly<{ codes: readonly string[]; digests: readonly string[] }> {
  const plain = Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(CODE_BYTES)).toLowerCase());
  return { codes: plain.map((code) => code.match(/.{4}/g)?.join("-") ?? code), digests: plain.map(digestOf) };
}

/** The stored form; null if it is not a recovery code. `code`: without spaces and dashes, in lower case. */
export function recoveryDigest(code: string): string | null {
  return SHAPE.test(code) ? digestOf(code) : null;
}
