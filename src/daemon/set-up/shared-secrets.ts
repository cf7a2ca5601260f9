import { randomBytes } from "node:crypto";
import { groupId } from "../../adapters/machine/system-users.ts";
import { readPlain, setAccess, writeFile } from "../../adapters/root-files/files.ts";
import type { Access } from "../../adapters/root-files/replace.ts";
import { CONTENT_USERS, type Layout, USERS } from "../../settings/layout.ts";

const MOST_SECRET_BYTES = 4 * 1_024;

/**
 * With this Dovecot proves itself to the guard. Kept over restarts, because Dovecot's hashes of passwords depend on it.
 */
export function makeLoginPolicySecret(layout: Layout): void {
  makeSecret(layout.loginPolicySecret, 32, { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } });
}

/** Distinguishes our own proofs from strangers' text; created once. Postfix reads its own copy. */
export function makeProofWord({ proofWord: file }: Layout): void {
  makeSecret(file, 16, { mode: 0o640, owner: { uid: 0, gid: groupId(CONTENT_USERS.rspamd) } });
}

/** Keeps an existing one, unless it is empty: an earlier version did not flush it before a power failure. */
function makeSecret(file: string, bytes: number, access: Access): void {
  const found = readPlain(file, MOST_SECRET_BYTES);
  if (found === null || found.text.trim() === "") writeFile(file, `${randomBytes(bytes).toString("hex")}\n`, access);
  else setAccess(file, access);
}
