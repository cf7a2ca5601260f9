import { createHmac, randomBytes } from "node:crypto";
import { HOUR_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { StoredTotp } from "../admin-ports.ts";
import { digestOf, isSame } from "./secrets.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BITS = 5;

/** RFC 4648, 6, without padding. */
export function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  let text = "";
  for (let at = 0; at < bits.length; at += BITS)
    text += ALPHABET.charAt(Number.parseInt(bits.slice(at, at + BITS).padEnd(BITS, "0"), 2));
  return text;
}

/** RFC 6238 with the parameters that every authenticator app supports: SHA-1, six digits, a new code each 30 seconds. */
export const STEP_MS = 30 * SECOND_MS;
/** RFC 4226, 4: the length of HMAC-SHA-1, 160 bits. */
export const SECRET_BYTES = 20;
const DIGITS = 6;
/** RFC 6238, 5.2: the phone's clock may be off by one step, and a code may change while it is typed. */
const DRIFT = 1;
/** A last step further ahead was used while the server's clock was wrong, and is ignored. */
const AHEAD = HOUR_MS / STEP_MS;
const NAME = "GhostInbox";

/** RFC 4226, 5.3, with the time step as the counter. */
export function codeAt(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", secret).update(counter).digest();
  const offset = hash.readUInt8(hash.length - 1) & 0x0f;
  const number = hash.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/** The step of a code that is valid now and newer than any used one; null if it is wrong. */
export function stepOf({ secret, lastStep }: StoredTotp, code: string, now: Millis): number | null {
  const present = Math.floor(now / STEP_MS);
  const used = lastStep > present + AHEAD ? 0 : lastStep;
  let found: number | null = null;
  // Compares with all of them, so that the time does not reveal which one matches.
  for (let step = present - DRIFT; step <= present + DRIFT; step++)
    if (isSame(codeAt(secret, Math.max(step, 0)), code) && step > used) found = step;
  return found;
}

export function isTotp(code: string): boolean {
  return code.length === DIGITS && /^\d+$/.test(code);
}

/** The URI that authenticator apps read, also from a QR code: the format of Google Authenticator's key URIs. `where`: the server. */
export function uriOf(secret: Uint8Array, where: string): string {
  const label = encodeURIComponent(`${NAME}:admin@${where}`);
  return `otpauth://totp/${label}?${new URLSearchParams({ secret: base32(secret), issuer: NAME }).toString()}`;
}

/** How many are created at a time. */
export const RECOVERY_CODES = 10;
/** 80 bits: the server could not check enough guesses in a thousand years to find one. */
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
