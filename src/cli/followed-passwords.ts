import { loadPasswordJudge } from "../adapters/accounts/password-strength.ts";
import { plural } from "../core/text.ts";
import { SECOND_MS } from "../core/time.ts";
import { readAccountsFile } from "../daemon/keeper/configuration/follow-accounts.ts";
import type { AccountItem } from "../wire/control/items.ts";
import { parseAccountsFile } from "../wire/dovecot/accounts-file.ts";

/** Time limit for a file of many accounts. */
const JUDGE_MS = 5 * SECOND_MS;

/** Judged passwords of accounts whose password is clear text in the followed file. A hash does not show whether its password is weak. */
export type FollowedPasswords = Readonly<{
  /** The problem of each weak password, by account. */
  weak: ReadonlyMap<string, string>;
  /** All that were judged. */
  judged: ReadonlySet<string>;
}>;

const NONE: FollowedPasswords = { weak: new Map(), judged: new Set() };

/** `path`: the setting `accounts.follow`. */
export async function judgeFollowed(
  path: string,
  accounts: readonly Pick<AccountItem, "name" | "origin">[],
): Promise<FollowedPasswords> {
  if (path === "" || process.geteuid?.() !== 0) return NONE;
  const read = readAccountsFile(path);
  const parsed = read.ok ? parseAccountsFile(read.text) : null;
  if (parsed?.ok !== true) return NONE;
  const followed = new Set<string>(accounts.flatMap(({ name, origin }) => (origin === "listed" ? [name] : [])));
  const plain = parsed.accounts.flatMap(({ name, secret }) =>
    secret.type === "plain" && followed.has(name) ? [{ name, password: secret.password }] : [],
  );
  if (plain.length === 0) return NONE;
  const judge = await loadPasswordJudge();
  const weak = new Map<string, string>();
  const judged = new Set<string>();
  const until = performance.now() + JUDGE_MS;
  for (const { name, password } of plain) {
    if (performance.now() > until) break;
    judged.add(name);
    const problem = judge(password, name);
    if (problem !== null) weak.set(name, problem);
  }
  return { weak, judged };
}

/** One line for each, below a list of accounts; empty if there is none. */
export function weakLines({ weak }: Pick<FollowedPasswords, "weak">): readonly string[] {
  if (weak.size === 0) return [];
  const head = `Weak ${plural(weak.size, "password")} in the accounts file, which work until the file has stronger ones:`;
  return ["", head, ...[...weak].map(([name, why]) => `  ${name}: ${why}`)];
}
