import { readFileSync } from "node:fs";
import type { AccountName } from "../../core/net/address.ts";
import { passwordProof } from "../../render/dovecot/password-proof.ts";
import type { NamedSecret } from "../../wire/control/results.ts";
import type { AccountLine } from "../../wire/dovecot/accounts-file.ts";
import { hashPassword } from "./password-hash.ts";

/**
 * What is sent to the guard for a line of the file. A clear-text password is hashed before it leaves this process; of a
 * hash nobody can tell how Dovecot hashes its password for the guard. `secretFile`: that of Dovecot's questions.
 */
export async function hashed({ name, secret, ...line }: AccountLine, secretFile: string): Promise<NamedSecret> {
  const quota = line.quotaBytes === null ? {} : { quotaBytes: line.quotaBytes };
  if (secret.type === "hash") return { name, hash: secret.hash, proof: "", ...quota };
  const proof = proofOf(secretFile, name, secret.password);
  return { name, hash: await hashPassword(secret.password), proof, ...quota };
}

/** What Dovecot will tell the guard of this password; empty where the secret cannot be read. */
export function proofOf(secretFile: string, owner: AccountName, password: string): string {
  try {
    return passwordProof(readFileSync(secretFile, "utf8").trim(), owner.toLowerCase(), password);
  } catch {
    return "";
  }
}
