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
