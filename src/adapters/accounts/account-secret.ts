import { readFileSync } from "node:fs";
import type { AccountName } from "../../core/net/address.ts";
import { passwordProof } from "../../render/dovecot/password-proof.ts";
import type { NamedSecret } from "../../wire/control/results.ts";
import type { AccountLine } from "../../wire/dovecot/accounts-file.ts";
import { hashPassword } from "./password-hash.ts";

/**
 * The request to the guard for a line of the file. A clear-text password is hashed before it leaves this process; from a
 * hash alone the proof that Dovecot would send cannot be computed. `secretFile`: the secret of the login policy.
 */
export async function hashed({ name, secret, ...line }: AccountLine, secretFile: string): Promise<NamedSecret> {
  const quota = line.quotaBytes === null ? {} : { quotaBytes: line.quotaBytes };
  if (secret.type === "hash") return { name, hash: secret.hash, proof: "", ...quota };
  const proof = proofOf(secretFile, name, secret.password);
  return { name, hash: await hashPassword(secret.password), proof, ...quota };
}

/** The proof that Dovecot will send to the guard for this password; empty if the secret cannot be read. */
export function proofOf(secretFile: string, owner: AccountName, password: string): string {
  try {
    return passwordProof(readFileSync(secretFile, "utf8").trim(), owner.toLowerCase(), password);
  } catch {
    return "";
  }
}
