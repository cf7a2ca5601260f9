import { codeAt, STEP_MS } from "../../src/guard/access/one-time-codes.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code of an authenticator app for this secret, in the page's format. */
export const codeOf = (secret: string, nowMs: number): string => codeAt(secretOf(secret), Math.floor(nowMs / STEP_MS));

/** Decodes base32 (RFC 4648), with or without spaces. */
function secretOf(text: string): Uint8Array {
  const bits = [...text.replaceAll(/\s/g, "")]
    .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  return Uint8Array.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
