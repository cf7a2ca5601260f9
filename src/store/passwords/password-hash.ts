import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { NamedSecret } from "../../admin/declare/items.ts";
import { PASSWORD_COST, PASSWORD_SALT_BYTES, PASSWORD_TAG_BYTES, printArgon2id } from "../../core/access/passwords.ts";
import { readOr } from "../../core/error.ts";
import type { AccountName } from "../../core/net/address.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import type { AccountLine } from "../../mail/dovecot/accounts-file.ts";
import { passwordHashOf } from "../../mail/dovecot/login-policy.ts";

/** Maximum cost of verifying a stored hash: 256 MiB, ten passes, four lanes. */
const MOST = { memory: 262_144, passes: 10, parallelism: 4 } as const;

const PHC =
  /^\{ARGON2ID\}\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Takes about as long as Dovecot takes to verify the hash. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(PASSWORD_SALT_BYTES);
  return printArgon2id(salt, await derive(password, salt, PASSWORD_COST, PASSWORD_TAG_BYTES));
}

/** Also false for other hash schemes, and for costs above the limit. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const parts = PHC.exec(hash);
  if (parts === null) return false;
  const [, memory, passes, parallelism, salt = "", tag = ""] = parts;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  if (!affordable(cost)) return false;
  const expected = Buffer.from(tag, "base64");
  return timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), cost, expected.length), expected);
}

type Cost = Readonly<{ memory: number; passes: number; parallelism: number }>;

function affordable({ memory, passes, parallelism }: Cost): boolean {
  if (memory > MOST.memory || passes > MOST.passes || parallelism > MOST.parallelism) return false;
  return passes >= 1 && parallelism >= 1 && memory >= 8 * parallelism; // RFC 9106, 3.1
}

/** Runs in the thread pool, off the event loop. */
function derive(password: string, nonce: Buffer, cost: Cost, tagLength: number): Promise<Buffer> {
  return promisify(argon2)("argon2id", { message: password, nonce, tagLength, ...cost });
}

/** `unknown`: Dovecot could not verify the password; `reason` says why. */
export type Verified = Readonly<{ is: "right" | "wrong" }> | Readonly<{ is: "unknown"; reason: string }>;

/**
 * Asks Dovecot whether a hash of any scheme matches this password (doveadm-pw(1)). The password goes through standard
 * input. The hash is an argument, which other programs on this machine can see for a moment. Reads no configuration.
 */
export async function verifyByDovecot(name: string, hash: string, password: string): Promise<Verified> {
  const args = ["-c", "/dev/null", "pw", "-u", name, "-t", hash];
  const ran = await runProgram("doveadm", args, { input: password });
  if (ran.code === 0) return { is: "right" };
  return ran.stderr.includes("Password mismatch") ? { is: "wrong" } : { is: "unknown", reason: lastLines(ran, 1) };
}

/**
 * The request to the guard for a line of the accounts file. A clear-text password is hashed before it leaves this process. The short
 * hash that Dovecot would send cannot be computed from a hash, so it is empty then. `secretFile`: the secret of the login policy.
 */
export async function hashed({ name, secret, ...line }: AccountLine, secretFile: string): Promise<NamedSecret> {
  const quota = line.quotaBytes === null ? {} : { quotaBytes: line.quotaBytes };
  if (secret.type === "hash") return { name, hash: secret.hash, passwordHash: "", ...quota };
  const passwordHash = passwordHashWith(secretFile, name, secret.password);
  return { name, hash: await hashPassword(secret.password), passwordHash, ...quota };
}

/** The short hash that Dovecot will send to the guard for this password; empty if the secret cannot be read. */
export function passwordHashWith(secretFile: string, owner: AccountName, password: string): string {
  return readOr(() => passwordHashOf(readFileSync(secretFile, "utf8").trim(), owner, password), "");
}
