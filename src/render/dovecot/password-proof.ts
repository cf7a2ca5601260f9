import { createHash } from "node:crypto";

/** Salts the hashes with which the guard tells passwords apart: stable, and unknown to anyone without the secret. */
export function policyNonce(secret: string): string {
  return createHash("sha256").update(`password hashes of ${secret}`).digest("hex").slice(0, 32);
}

/**
 * The proof of this password that Dovecot sends to the guard: the first 12 bits of its salted hash, as four hexadecimal digits
 * (auth_policy_hash_mech sha256, auth_policy_hash_truncate 12). `account` in lower case.
 */
export function passwordProof(secret: string, account: string, password: string): string {
  const digest = createHash("sha256")
    .update(`${policyNonce(secret)}${account}\0${password}`)
    .digest();
  return (digest.readUInt16BE(0) >> 4).toString(16).padStart(4, "0");
}
