import type { FileChanges } from "../../../admin/accounts.ts";
import type { ParsedCommandOf } from "../../../admin/declare/control.ts";
import type { NamedSecret } from "../../../admin/declare/items.ts";
import { isOfKnownScheme, passwordProblem, tooCostly } from "../../../core/access/passwords.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import type { SecretMaker } from "../../admin-ports.ts";
import { accountCommand, isHash, isPostmaster, ON_SERVER } from "../accounts/accounts.ts";
import { type FileCommandParts, fileCommand } from "../accounts/files.ts";
import { failed, usage } from "../refusals.ts";
import type { RunOf, RunsOf } from "../run-of.ts";

export type WebPasswordParts = FileCommandParts &
  Readonly<{ secrets: Pick<SecretMaker, "make">; mailboxes: () => Readonly<{ keyOfEach: boolean }> }>;

type Brought = ParsedCommandOf<"accounts_import">["entries"][number];
type Skipped = FileChanges["skipped"][number];

const OWNERS = failed(
  "postmaster@ gets the alerts of this server: add an account with this name on the server.",
  "Use `account add` on the server.",
);

/**
 * A new account, or a new password in clear text. The guard hashes it: an attacker who has taken over the web can
 * choose a password, but not a hash that costs Dovecot minutes or that has a scheme without a salt.
 */
const webPassword: RunOf<"account_create" | "account_set_password", WebPasswordParts> = async (
  parts,
  { name, ...command },
  by,
) => {
  if (parts.mailboxes().keyOfEach) return ON_SERVER;
  if (command.verb === "account_create" && isPostmaster(name)) return OWNERS;
  const problem = passwordProblem(command.password, name);
  if (problem !== null) return usage(problem, "Choose another one.");
  const [made] = await parts.secrets.make([{ owner: name, password: command.password }]);
  if (made === undefined) throw new Error("no hash was made of a password");
  const verb = command.verb === "account_create" ? "account_create_hashed" : "account_set_hash";
  const reply = await accountCommand(parts, { verb, name, ...made }, by);
  return reply.ok ? { ok: true, result: { name } } : reply;
};

/**
 * Some accounts of a file: only new ones, whose hashes the file may contain. If each account has a key, a password can create
 * it only on the server; a hash cannot create a key anywhere.
 */
const webImport: RunOf<"accounts_import", WebPasswordParts> = async (parts, { entries }, by) => {
  const skipped: Skipped[] = [];
  const ready: NamedSecret[] = [];
  const typed: Typed[] = [];
  const { keyOfEach } = parts.mailboxes();
  for (const entry of entries) {
    const read = readEntry(entry);
    if ("why" in read) skipped.push(read);
    else if (!("password" in read)) ready.push(read);
    else if (keyOfEach || parts.accounts.hasKeys(read.owner))
      skipped.push({ name: read.owner, why: "needs a key for its mail, which `account add` on the server makes" });
    else typed.push(read);
  }
  const made = await parts.secrets.make(typed);
  const hashed = typed.flatMap(({ owner: name, quotaBytes }, i) => {
    const secret = made[i];
    return secret === undefined ? [] : [{ name, ...secret, quotaBytes }];
  });
  const reply = await fileCommand(parts, { verb: "accounts_import_hashed", entries: [...ready, ...hashed] }, by);
  if (!reply.ok) return reply;
  return { ok: true, result: { ...reply.result, skipped: [...skipped, ...reply.result.skipped] } };
};

export const WEB_PASSWORD_RUNS = {
  account_create: webPassword,
  account_set_password: webPassword,
  accounts_import: webImport,
} satisfies RunsOf<WebPasswordParts>;

type Typed = Readonly<{ owner: AccountName; password: string; quotaBytes: number | undefined }>;

function readEntry({ name: written, hash, password, quotaBytes }: Brought): Skipped | NamedSecret | Typed {
  const name = parseAccountName(written);
  if (name === null) return { name: written, why: "cannot be an account" };
  if (isPostmaster(name)) return { name, why: "gets the alerts, and can be added only on the server" };
  if (password !== undefined) return { owner: name, password, quotaBytes };
  if (hash === undefined) return { name, why: "has no password" };
  if (!isHash(hash)) return { name, why: "has a password that came unhashed" };
  if (!isOfKnownScheme(hash)) return { name, why: "has a type of hash that can be imported only on the server" };
  if (tooCostly(hash)) return { name, why: "has a hash that would take too long to check at each sign-in" };
  return { name, hash, passwordHash: "", quotaBytes };
}
