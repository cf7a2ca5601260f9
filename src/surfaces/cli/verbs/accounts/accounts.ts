import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  accountExists,
  ENTRIES_PER_COMMAND,
  type FileChanges,
  noAccount as noAccountText,
  notServed,
} from "../../../../admin/accounts.ts";
import { noteOnForwards } from "../../../../admin/aliases.ts";
import type { AccountItem } from "../../../../admin/declare/items.ts";
import { type AccountName, domainOf, parseAccountName, withoutExtension } from "../../../../core/net/address.ts";
import { printPrefix } from "../../../../core/net/ip.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime } from "../../../../core/time.ts";
import { readAccountsFile } from "../../../../jobs/accounts-file/follow-accounts.ts";
import { type AccountLine, ignoredIn, parseAccountsFile } from "../../../../mail/dovecot/accounts-file.ts";
import { homeOf } from "../../../../mail/dovecot/sieve-redirects.ts";
import { formatSize } from "../../../../settings/kinds/kind.ts";
import { hashed } from "../../../../store/passwords/password-hash.ts";
import {
  type Answer,
  type Call,
  done,
  type Failure,
  failed,
  PROGRAM,
  type Reader,
  whileRunning,
  whyNotSure,
  withReader,
  wrongUsage,
} from "../../call.ts";
import { andMore, emptyText, pageOfReader } from "../../listing.ts";
import { judgeFollowed, judgePlain, newPasswordHash, weakLines } from "../../passwords.ts";
import { heldText, recoverCommand } from "../../print/account-facts.ts";
import { columns, firstFew, joined, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { keysFor, lockedKeysText, recoveryKeyOf, whyNoMoreKeys } from "./account-keys.ts";

export const accountAdd = ofAccountWithReader(async (call, name, reader) => {
  const loaded = settingsOf(call);
  if (loaded.ok && !loaded.settings.domains.includes(domainOf(name))) {
    const { message, next } = notServed(domainOf(name), loaded.settings.domains);
    return failed(message, next);
  }
  if (reader.account(name) !== null)
    return failed(accountExists(name), `\`${PROGRAM} account passwd ${name}\` sets a new password.`);
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const secret = await secretOf(call, reader, { name, ...password });
  if (!secret.ok) return secret;
  const asked = await call.guard.ask({ verb: "account_create_hashed", name, ...secret.fields });
  if (!asked.ok) return asked;
  // A removed account of this name may have left a script and locked mail.
  const script = join(homeOf(call.layout.mail, name), ".dovecot.sieve");
  const scripted = existsSync(script) ? ` Its mail passes a Sieve script that already exists: ${script}.` : "";
  const text = `${name} can receive, read and send mail now.${scripted}${secret.closed}`;
  return done(asked.result, text, `${PROGRAM} account list`);
});

/** The fields of a new password for the guard. `closed`: a sentence to append if there is mail that it does not open, or empty. */
export async function secretOf(
  call: Call,
  reader: Reader,
  { name, hash, passwordHash, password }: Readonly<Record<"name" | "hash" | "passwordHash" | "password", string>>,
) {
  const recoveryKey = recoveryKeyOf(call);
  if (recoveryKey !== null && "ok" in recoveryKey) return recoveryKey;
  const found = await keysFor(call, reader, { name, password, recoveryKey });
  if (!found.ok) return found;
  const { keys, recovers, lockedKeys } = found;
  const isLocked = !recovers && reader.accountKeys(name).length > 0;
  const locked = isLocked ? ` Its older mail is locked until you open it: ${recoverCommand(name)}` : "";
  const closed = `${locked}${isLocked && lockedKeys > 0 ? "." : ""}${lockedKeysText(name, lockedKeys)}`;
  return { ok: true as const, fields: { hash, passwordHash, keys, recovers }, closed };
}

export const accountPasswd = ofAccountWithReader(async (call, name, reader) => {
  if (reader.account(name) === null) return noAccount(name);
  const full = whyNoMoreKeys(call, reader, name);
  if (full !== null) return full;
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const secret = await secretOf(call, reader, { name, ...password });
  if (!secret.ok) return secret;
  const { fields, closed } = secret;
  const hasApps = reader.own(name).appPasswords.length > 0;
  const asked = await call.guard.ask({ verb: "account_set_hash", name, ...fields });
  if (!asked.ok) return asked;
  const removed = hasApps ? " Its app passwords are removed: all its mail programs need the new password." : "";
  const text = `${name} has a new password; its open sessions were ended.${removed}${closed}`;
  return done({ ...asked.result, closed: closed !== "" }, text, `${PROGRAM} events --type LOGIN_FAILED`);
});

export const accountRemove = whileRunning(
  ofAccount(async (call, name) => {
    const held = heldText(call.layout, name);
    const opened = await call.reader();
    const aliases = opened.ok ? opened.reader.aliasesOnlyTo(name).map(({ address }) => address) : [];
    const gone = aliases.length > 0 && `Aliases that lead only to it are removed too: ${firstFew(aliases)}.`;
    const forwarders = opened.ok ? opened.reader.forwardsEndedBy(name) : [];
    const used = settingsOf(call);
    const { "accounts.administrator": administrator = "", domains = [] } = used.ok ? used.settings : {};
    const isNamed = [name, ...aliases].some((one) => one === administrator || one === withoutExtension(administrator));
    const question = joined(" ", [
      `Remove ${name}? No one will be able to sign in or send mail to it.`,
      gone,
      forwarders.length > 0 && `These accounts will no longer forward mail to it: ${firstFew(forwarders)}.`,
      ...held,
      opened.ok && opened.reader.roleReader()?.address === name && NEXT_POSTMASTER,
      isNamed && !domains.includes(domainOf(administrator)) && ADMINISTRATOR_LEAVES,
    ]);
    const unsure = await whyNotSure(call, question, "nothing was removed");
    if (unsure !== null) return unsure;
    const asked = await call.guard.ask({ verb: "account_remove", name });
    if (!asked.ok) return asked;
    const text = `${name} is removed and its open sessions were ended. Its mail stays in ${call.layout.mail}.${noteOnForwards(asked.result.forwardsEnded)}`;
    return done(asked.result, joined(" ", [text, gone, ...held]), `${PROGRAM} account list`);
  }),
);

const ADMINISTRATOR_LEAVES =
  "The domain of `accounts.administrator` is not in `domains`: whoever has it would get mail for postmaster@ and abuse@.";
const NEXT_POSTMASTER = `It receives mail for postmaster@ and abuse@, and often alerts. The first other account that can sign in, if any, takes over, unless \`${PROGRAM} config set accounts.administrator ADDRESS\` names another.`;

export const accountList = pageOfReader("accounts", "texts", async (call, reader, page) => {
  const listed = reader.accounts(page);
  const { items } = listed;
  if (items.length === 0)
    return done(listed, emptyText("There is no account yet.", page), `${PROGRAM} account add you@example.org`);
  const settings = settingsOf(call);
  const { weak } = await judgeFollowed(settings.ok ? settings.settings["accounts.follow"] : "", items);
  const marked = items.map((item) => (weak.has(item.name) ? { ...item, weakness: weak.get(item.name) } : item));
  const rows = items.map((item) => [
    item.name,
    weak.has(item.name) ? `${stateOf(item)}, weak password` : stateOf(item),
    dayAndTime(item.createdAt),
    item.lastSignInAt === null ? "-" : dayAndTime(item.lastSignInAt),
    item.quotaBytes === null ? "default" : item.quotaBytes === 0 ? "none" : formatSize(item.quotaBytes),
    item.networks.length === 0 ? "anywhere" : item.networks.map(printPrefix).join(", "),
  ]);
  const more = andMore({ ...listed, shown: items.length }, page.cursor);
  const table = columns([["ACCOUNT", "STATE", "SINCE", "LAST SIGN-IN", "QUOTA", "FROM"], ...rows]);
  return done({ ...listed, items: marked }, [table + more, ...weakLines(weak)].join("\n"));
});

export function stateOf({ origin, suspended }: Pick<AccountItem, "origin" | "suspended">): string {
  if (origin === "unlisted") return "not in the accounts file";
  return suspended ? "suspended" : "active";
}

export function noAccount(name: string): Failure {
  return failed(noAccountText(name), `\`${PROGRAM} account list\` shows them.`);
}

export function ofAccount(run: (call: Call, name: AccountName) => Promise<Answer>) {
  return async (call: Call): Promise<Answer> => {
    const name = accountFrom(call.args[0]);
    return typeof name === "string" ? run(call, name) : name;
  };
}

export function ofAccountWithReader(run: (call: Call, name: AccountName, reader: Reader) => Promise<Answer>) {
  return ofAccount((call, name) => withReader((_, reader) => run(call, name, reader))(call));
}

export function accountFrom(text = ""): AccountName | Failure {
  return (
    parseAccountName(text) ?? wrongUsage(`"${oneLine(text)}" cannot be an account.`, "Write it like anna@example.org.")
  );
}

/**
 * Imports a file only if all its lines are valid. Does not change existing accounts. Imports weak passwords but reports them, and
 * reports further fields of a line, which are ignored.
 */
export const accountImport = whileRunning(async (call) => {
  const path = call.args[0] ?? "";
  const accounts = readAccounts(path);
  if ("ok" in accounts) return accounts;
  const added: string[] = [];
  const skipped: FileChanges["skipped"][number][] = [];
  for (let i = 0; i < accounts.length; i += ENTRIES_PER_COMMAND) {
    call.terminal.progress(`${i} of ${plural(accounts.length, "account")}`);
    const lines = accounts.slice(i, i + ENTRIES_PER_COMMAND);
    const entries = await Promise.all(lines.map((line) => hashed(line, call.layout.loginPolicySecret)));
    const asked = await call.guard.ask({ verb: "accounts_import_hashed", entries });
    if (!asked.ok) {
      const message = `${plural(added.length, "account")} imported, the others not yet: ${asked.message}`;
      return added.length === 0 ? asked : { ...asked, message };
    }
    added.push(...asked.result.added);
    skipped.push(...asked.result.skipped);
  }
  const judged = await judgePlain(accounts.filter(({ name }) => added.includes(name)));
  const weak = [...judged.weak].map(([name, why]) => ({ name, why }));
  const ignored = ignoredIn(accounts);
  const lines = [
    `${plural(added.length, "account")} imported.`,
    ...skipped.map(({ name, why }) => `Not imported: ${name} ${why}.`),
    ...ignored.map(({ line, name, fields }) => `Ignored in line ${line}: ${fields.join(", ")} of ${name}.`),
    ...weak.map(({ name, why }) => `Weak: ${name}: ${why}`),
  ];
  const next = weak[0] === undefined ? `${PROGRAM} account list` : `${PROGRAM} account passwd ${weak[0].name}`;
  return done({ added, skipped, ignored, weak }, lines.join("\n"), next);
});

function readAccounts(path: string): readonly AccountLine[] | Failure {
  const read = readAccountsFile(path);
  if (!read.ok) return failed(`${oneLine(path)} ${read.reason}.`, "");
  const parsed = parseAccountsFile(read.text);
  if (parsed.ok) {
    if (parsed.accounts.length > 0) return parsed.accounts;
    return failed(`${oneLine(path)} names no account.`, "Each line must be like anna@example.org|{SCHEME}hash.");
  }
  const { problems } = parsed;
  const lines = problems.map(({ says }) => `- ${says}`);
  const message = `Nothing was imported: ${plural(problems.length, "line")} of ${oneLine(path)} could not be read.`;
  return failed(message, "Correct them and import again.", { lines, json: { ok: false, problems } });
}
