import { hash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;

/** The secret of a session. It cannot be guessed, so a plain hash of it may be stored. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** A token for scripts, and its stored form. */
export function newToken(): Readonly<{ token: string; digest: string }> {
  const token = `gi_${newSecret()}`;
  return { token, digest: digestOf(token) };
}

/** SHA-256, hexadecimal: the stored form of a secret, and how the guard and the keeper compare what they read. */
export function digestOf(text: string): string {
  return hash("sha256", text);
}

/** The time it takes reveals nothing about where they differ. */
export function isSame(right: string, given: string): boolean {
  const [one, other] = [Buffer.from(right), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Without the letters and digits that people confuse: each is 4.95 bits. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUP = 5;

/** Creates a password to be shown once, in groups of five that can be read out: 99 bits. */
export function madePassword(groups = 4): string {
  const group = (): string => Array.from({ length: GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return Array.from({ length: groups }, group).join("-");
}
