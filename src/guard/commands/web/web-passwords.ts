import type { FileChanges } from "../../../admin/accounts.ts";
import type { ParsedCommandOf, Reply, Verb } from "../../../admin/declare/control.ts";
import type { NamedSecret } from "../../../admin/declare/items.ts";
import { isOfKnownScheme, passwordProblem, tooCostly } from "../../../core/access/passwords.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import type { SecretMaker } from "../../admin-ports.ts";
import { accountCommand, alertsStay, isHash, ON_SERVER, takesAlerts } from "../accounts/accounts.ts";
import { type FileCommandParts, fileCommand } from "../accounts/files.ts";
import { failed, usage } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { type OfCaller, UNAUTHORIZED } from "./command-gate.ts";

export type WebPasswordParts = FileCommandParts &
  Readonly<{
    secrets: Pick<SecretMaker, "make">;
    mailboxes: () => Readonly<{ keyOfEach: boolean }>;
    accountLists: Readonly<{ password: (name: string) => string | null }>;
  }>;
type Run<V extends Verb> = (
  parts: WebPasswordParts,
  command: ParsedCommandOf<V>,
  by: string,
  at: OfCaller,
) => Promise<Reply<V>>;

type ImportEntry = ParsedCommandOf<"accounts_import">["entries"][number];
type Skipped = FileChanges["skipped"][number];

/**
 * Creates an account or sets a password, given in clear text. The guard hashes it, so that an attacker who has taken over the web
 * can choose a password, but not a hash that costs Dovecot minutes or that has a scheme without a salt. Changes nothing if the
 * caller's session or token ended, or a different password was set, while it was hashed.
 */
const webPassword: Run<"account_create" | "account_set_password"> = async (
  parts,
  { name, ...command },
  by,
  { caller },
) => {
  if (parts.mailboxes().keyOfEach) return ON_SERVER;
  if (command.verb === "account_create" && takesAlerts(parts, name)) return alertsStay(name);
  const problem = passwordProblem(command.password, name);
  if (problem !== null) return usage(problem, "Choose another one.");
  const former = parts.accountLists.password(name);
  const [made] = await parts.secrets.make([{ owner: name, password: command.password }]);
  if (made === undefined) throw new Error("no hash was made of a password");
  const verb = command.verb === "account_create" ? "account_create_hashed" : "account_set_hash";
  const mayNoLonger = () => {
    const ended = endedCaller(caller);
    if (ended !== null) return ended;
    // Keys stay after the setting has changed, and root may create one while this is hashed. The new password would not open them.
    if (parts.accounts.hasKeys(name)) return ON_SERVER;
    // The change itself finds out whether the account was added or removed.
    const now = parts.accountLists.password(name);
    return former !== null && now !== null && now !== former ? CHANGED : null;
  };
  const reply = await accountCommand({ ...parts, mayNoLonger }, { verb, name, ...made }, by);
  return reply.ok ? { ok: true, result: { name } } : reply;
};

/**
 * Adds accounts of a file, only new ones. The file may contain their hashes. If each account has a key, a password can create it
 * only on the server; a hash cannot create a key anywhere. Adds none if the caller's session or token ended in between.
 */
const webImport: Run<"accounts_import"> = async (parts, { entries }, by, { caller }) => {
  const skipped: Skipped[] = [];
  const ready: NamedSecret[] = [];
  const typed: PasswordEntry[] = [];
  const { keyOfEach } = parts.mailboxes();
  for (const entry of entries) {
    const read = readEntry(parts, entry);
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
  const mayNoLonger = () => endedCaller(caller);
  const command = { verb: "accounts_import_hashed", entries: [...ready, ...hashed] } as const;
  const reply = await fileCommand({ ...parts, mayNoLonger }, command, by);
  if (!reply.ok) return reply;
  return { ok: true, result: { ...reply.result, skipped: [...skipped, ...reply.result.skipped] } };
};

export const WEB_PASSWORD_RUNS = {
  account_create: webPassword,
  account_set_password: webPassword,
  accounts_import: webImport,
} satisfies RunsOf<WebPasswordParts, OfCaller>;

const CHANGED = failed("Not set: a different password was set while this one was hashed.", "Check who changed it.");

/** Root has no session that could end. */
function endedCaller(caller: OfCaller["caller"]): typeof UNAUTHORIZED | null {
  return caller?.isValid() === false ? UNAUTHORIZED : null;
}

type PasswordEntry = Readonly<{ owner: AccountName; password: string; quotaBytes: number | undefined }>;

function readEntry(
  parts: WebPasswordParts,
  { name: written, hash, password, quotaBytes }: ImportEntry,
): Skipped | NamedSecret | PasswordEntry {
  const name = parseAccountName(written);
  if (name === null) return { name: written, why: "cannot be an account" };
  if (takesAlerts(parts, name)) return { name, why: "gets the alerts, and can be added only on the server" };
  if (password !== undefined) return { owner: name, password, quotaBytes };
  if (hash === undefined) return { name, why: "has no password" };
  if (!isHash(hash)) return { name, why: "has a password that is not hashed" };
  if (!isOfKnownScheme(hash)) return { name, why: "has a type of hash that can be imported only on the server" };
  if (tooCostly(hash)) return { name, why: "has a hash that would take too long to check at each sign-in" };
  return { name, hash, passwordHash: "", quotaBytes };
}
