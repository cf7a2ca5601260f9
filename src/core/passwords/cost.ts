/**
 * The cost of one guess at a password: argon2id with `memory` KiB, `passes` and `parallelism`. OWASP Password Storage
 * Cheat Sheet: 19 MiB, two passes, one lane. Dovecot checks each sign-in with these, so more memory would help an
 * attacker who floods the server with sign-ins.
 */
export const PASSWORD_COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
export const PASSWORD_TAG_BYTES = 32;
export const PASSWORD_SALT_BYTES = 16;

/** A PHC string with the scheme in front, as Dovecot reads it: `{ARGON2ID}$argon2id$v=19$m=…`. */
export function printArgon2id(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = PASSWORD_COST;
  return `{ARGON2ID}$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
