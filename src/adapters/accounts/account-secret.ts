import type { NamedSecret } from "../../wire/control/control.ts";
import type { AccountLine } from "../../wire/dovecot/accounts-file.ts";
import { hashPassword } from "./password-hash.ts";

/** What is sent to the guard for a line of the file. A clear-text password is hashed before it leaves this process. */
export async function hashed({ name, secret }: AccountLine): Promise<NamedSecret> {
  return { name, hash: secret.type === "hash" ? secret.hash : await hashPassword(secret.password) };
}
