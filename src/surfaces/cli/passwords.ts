import type { AccountItem } from "../../admin/declare/items.ts";
import { MAX_PASSWORD_BYTES } from "../../core/access/passwords.ts";
import type { AccountName } from "../../core/net/address.ts";
import { SECOND_MS } from "../../core/time.ts";
import { readAccountsFile } from "../../jobs/accounts-file/follow-accounts.ts";
import { type AccountLine, parseAccountsFile } from "../../mail/dovecot/accounts-file.ts";
import { hashPassword, passwordHashWith } from "../../store/passwords/password-hash.ts";
import { loadPasswordJudge } from "../../store/passwords/password-strength.ts";
import { type Call, type Failure, failed, wrongUsage } from "./call.ts";

const ANOTHER = "Choose another one: several unrelated words make a good one.";

/** `passwordHash`: the short hash that Dovecot sends for this password, by which the guard recognizes it; empty if unknown. */
type NewPassword = Readonly<{ ok: true; hash: string; passwordHash: string; password: string }>;

/** Reads a new password from standard input or asks for it twice. The password never leaves this process. */
export async function newPasswordHash(call: Call, owner: AccountName | null): Promise<NewPassword | Failure> {
  const typed = await passwordFrom(call, "New password: ", true);
  if (typeof typed !== "string") return typed;
  const problem = (await loadPasswordJudge())(typed, owner);
  if (problem !== null) return failed(problem, ANOTHER);
  const passwordHash = owner === null ? "" : passwordHashFor(call, owner, typed);
  return { ok: true, hash: await hashPassword(typed), passwordHash, password: typed };
}

export function passwordHashFor({ layout }: Call, owner: AccountName, password: string): string {
  return passwordHashWith(layout.loginPolicySecret, owner, password);
}

/** Reads a password from standard input or asks for it, twice if it is new. */
export async function passwordFrom(call: Call, question: string, isNew: boolean): Promise<string | Failure> {
  const { terminal } = call;
  if (call.flag("password-stdin")) return (await terminal.readLine(MAX_PASSWORD_BYTES + 2)) ?? NO_PASSWORD;
  if (!terminal.interactive)
    return wrongUsage("No terminal to ask for a password.", "Give --password-stdin and the password as its input.");
  const first = await terminal.askSecret(question);
  const again = first === null || !isNew ? first : await terminal.askSecret("Once more: ");
  if (first === null || again === null) return failed("Interrupted: nothing was changed.", "");
  return first === again ? first : failed("The two passwords differ: nothing was changed.", "Try again.");
}

const NO_PASSWORD = failed(
  `The first line of standard input held no password of at most ${MAX_PASSWORD_BYTES} bytes.`,
  "Write it as one line: printf '%s' \"$PASSWORD\" | … --password-stdin",
);

/** Bytes. */
const LONGEST_SECRET = 1_000;

/** Asks for a secret without echo, or without a terminal reads the first line of standard input. Empty if there is none. */
export async function secretFrom({ terminal }: Call, what: string): Promise<string | Failure> {
  if (terminal.interactive) return (await terminal.askSecret(`${what} (not shown): `)) ?? "";
  if (terminal.inputIsTerminal)
    return wrongUsage(
      "Standard error is not a terminal, so no question can be asked.",
      "Redirect only standard output.",
    );
  return (await terminal.readLine(LONGEST_SECRET)) ?? "";
}

/** Time limit for a file of many accounts. */
const JUDGE_MS = 5 * SECOND_MS;

/** Results for accounts whose password is clear text in a file. Hashes cannot be judged. */
export type FollowedPasswords = Readonly<{ weak: ReadonlyMap<string, string>; judged: ReadonlySet<string> }>;

const NONE: FollowedPasswords = { weak: new Map(), judged: new Set() };

export type AccountOrigin = Pick<AccountItem, "name" | "origin">;

/** `path`: the setting `accounts.follow`. */
export async function judgeFollowed(path: string, accounts: readonly AccountOrigin[]): Promise<FollowedPasswords> {
  if (path === "" || process.geteuid?.() !== 0) return NONE;
  const read = readAccountsFile(path);
  const parsed = read.ok ? parseAccountsFile(read.text) : null;
  if (parsed?.ok !== true) return NONE;
  const followed = new Set<string>(accounts.flatMap(({ name, origin }) => (origin === "listed" ? [name] : [])));
  const lines = parsed.accounts.filter(({ name }) => followed.has(name));
  return judgePlain(lines, JUDGE_MS);
}

/** Judges passwords in clear text, as many as the time allows. */
export async function judgePlain(
  accounts: readonly Pick<AccountLine, "name" | "secret">[],
  withinMs = Number.POSITIVE_INFINITY,
): Promise<FollowedPasswords> {
  const plain = accounts.flatMap(({ name, secret }) => (secret.type === "plain" ? [{ name, ...secret }] : []));
  if (plain.length === 0) return NONE;
  const judge = await loadPasswordJudge();
  const weak = new Map<string, string>();
  const judged = new Set<string>();
  const until = performance.now() + withinMs;
  for (const { name, password } of plain) {
    if (performance.now() > until) break;
    judged.add(name);
    const problem = judge(password, name);
    if (problem !== null) weak.set(name, problem);
  }
  return { weak, judged };
}

/** Lines to print below a list of accounts, one per weak password; empty if there is none. */
export function weakLines(weak: FollowedPasswords["weak"]): readonly string[] {
  if (weak.size === 0) return [];
  const head = "Weak passwords in the accounts file, which work until the file has stronger ones:";
  return ["", head, ...[...weak].map(([name, why]) => `  ${name}: ${why}`)];
}
