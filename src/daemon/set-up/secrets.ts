import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hashPassword } from "../../adapters/accounts/password-hash.ts";
import { loadPasswordJudge } from "../../adapters/accounts/password-strength.ts";
import { createFile, setAccess, writeFile } from "../../adapters/root-files/files.ts";
import { CONTENT_USERS } from "../../render/content/content-services.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { SetUpFailure } from "./failure.ts";
import { groupId } from "./site.ts";

/**
 * With this Dovecot proves itself to the guard. Kept over restarts, because Dovecot's hashes of passwords depend on it.
 */
export function makeLoginPolicySecret(layout: Layout): void {
  const file = layout.loginPolicySecret;
  const access = { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } };
  if (!createFile(file, `${randomBytes(32).toString("hex")}\n`, access)) setAccess(file, access);
}

/** Tells our own proofs from those that strangers write; made once. Postfix reads its own copy. */
export function makeProofWord({ proofWord: file }: Layout): void {
  const access = { mode: 0o640, owner: { uid: 0, gid: groupId(CONTENT_USERS.rspamd) } };
  if (!createFile(file, `${randomBytes(16).toString("hex")}\n`, access)) setAccess(file, access);
}

export type AdminPassword = Readonly<{
  /** For the database; null: leave the stored one. */
  hash: string | null;
  /** To be printed once; null if the administrator knows it. */
  printed: string | null;
}>;

/** The dashboard's password: the given one, at each start; otherwise a generated one at the first start. */
export async function adminPassword(layout: Layout, env: Environment): Promise<AdminPassword> {
  const given = givenPassword(env);
  if (given !== null) {
    // Accepted all the same: a server that does not start protects nobody.
    const weakness = (await loadPasswordJudge())(given, null);
    if (weakness !== null) console.error(`ghostinbox: warning: ADMIN_PASSWORD: ${weakness}`);
    return { hash: await hashPassword(given), printed: null };
  }
  if (existsSync(layout.firstStartDone)) return { hash: null, printed: null };
  const printed = randomBytes(15).toString("base64url");
  return { hash: await hashPassword(printed), printed };
}

/** From now on a start without ADMIN_PASSWORD keeps the password. Called after it was printed. */
export function rememberAdminPassword(layout: Layout): void {
  writeFile(layout.firstStartDone, "set\n", { mode: 0o600 });
}

function givenPassword(env: Environment): string | null {
  const file = env["ADMIN_PASSWORD_FILE"] ?? "";
  const direct = env["ADMIN_PASSWORD"] ?? "";
  if (direct !== "") return direct;
  if (file === "") return null;
  try {
    const password = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (password !== "") return password;
  } catch {
    throw new SetUpFailure(`ADMIN_PASSWORD_FILE names ${file}, which cannot be read.`);
  }
  throw new SetUpFailure(`ADMIN_PASSWORD_FILE names ${file}, which is empty.`);
}
