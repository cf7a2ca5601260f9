import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readOr } from "../../core/error.ts";
import { NOT_UTF8, writeFile } from "../../host/root-files/files.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { hashPassword, verifyPassword } from "./password-hash.ts";
import { loadPasswordJudge } from "./password-strength.ts";

export type AdminPassword = Readonly<{
  /** For the database; null to keep the stored one. */
  hash: string | null;
  /** Whether a stored password stays, because it may be newer. */
  onlyIfNone: boolean;
  /** To be printed once; null if the administrator knows it. */
  printed: string | null;
  /** The weakness of the given password. */
  weakness?: string;
}>;

const UNCHANGED: AdminPassword = { hash: null, onlyIfNone: false, printed: null };

/**
 * Returns the dashboard's password: the one given in the environment or, at the first start, a generated one. If an earlier start has
 * already used the given password, it applies only if the databases hold none, as after their loss: the environment outlives a change
 * of the password, and strangers may know the old one by then.
 */
export async function adminPassword(layout: Layout, env: Environment): Promise<AdminPassword> {
  const isFirst = !existsSync(layout.firstStartDone);
  const given = givenPassword(env, isFirst);
  if (given !== null) {
    const [taken = ""] = linesOf(layout.firstStartDone);
    if (await verifyPassword(taken, given)) return { hash: taken, onlyIfNone: true, printed: null };
    // Accepted anyway: a server that does not start protects no one.
    const weakness = (await loadPasswordJudge())(given, null);
    if (weakness !== null) console.error(`ghostinbox: warning: ADMIN_PASSWORD: ${weakness}`);
    const hash = await hashPassword(given);
    return { hash, onlyIfNone: false, printed: null, ...(weakness === null ? {} : { weakness }) };
  }
  if (!isFirst) return UNCHANGED;
  const printed = randomBytes(15).toString("base64url");
  return { hash: await hashPassword(printed), onlyIfNone: false, printed };
}

/**
 * Makes later starts without ADMIN_PASSWORD, or with the same one, keep the password. Call it after the databases have stored the
 * password, and after a generated one was printed.
 */
export function rememberAdminPassword(
  layout: Layout,
  { hash, onlyIfNone, printed, weakness = "" }: AdminPassword,
): void {
  if (hash === null || onlyIfNone) return;
  writeFile(layout.firstStartDone, printed === null ? `${hash}\n${weakness}\n` : "set\n", { mode: 0o600 });
}

/** The weakness of the last used ADMIN_PASSWORD, if `current` is still its hash; null if there is none. */
export function weaknessOfTaken(
  { firstStartDone }: Pick<Layout, "firstStartDone">,
  current: string | null,
): string | null {
  const [taken = "", weakness = ""] = linesOf(firstStartDone);
  return weakness !== "" && taken === current ? weakness : null;
}

/** First the hash of the last used ADMIN_PASSWORD, or a text that matches no password; then its weakness. */
function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
}

/** After the first start an unusable one only causes a warning: a password is stored already, and mail must not wait for a usable one. */
function givenPassword(env: Environment, isFirst: boolean): string | null {
  const file = env["ADMIN_PASSWORD_FILE"] ?? "";
  const direct = env["ADMIN_PASSWORD"] ?? "";
  if (direct === "" && file === "") return null;
  const given = direct === "" ? readOr(() => readFileSync(file, "utf8").replace(/\r?\n$/, ""), null) : direct;
  if (given !== null && given !== "" && !given.includes("\ufffd")) return given;
  const why = given === null ? "cannot be read" : given === "" ? "is empty" : NOT_UTF8;
  const problem = `${direct === "" ? `ADMIN_PASSWORD_FILE names ${file}, which` : "ADMIN_PASSWORD"} ${why}`;
  if (isFirst) throw new SetUpFailure(`${problem}.`);
  console.error(`ghostinbox: warning: ${problem}. The stored password, if any, stays.`);
  return null;
}
