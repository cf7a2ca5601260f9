import { createHash, randomBytes } from "node:crypto";

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

/** The stored form of a secret: SHA-256, hexadecimal. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
