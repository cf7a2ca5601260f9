import { openSync, readFileSync } from "node:fs";
import {
  accountExists,
  ENTRIES_PER_COMMAND,
  type FileChanges,
  noAccount as noAccountText,
  notServed,
} from "../../../../admin/accounts.ts";
import type { AccountItem } from "../../../../admin/declare/items.ts";
import { codeOf } from "../../../../core/error.ts";
import { type AccountName, domainOf, parseAccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, shown } from "../../../../core/time.ts";
import { Held } from "../../../../host/root-files/directory.ts";
import { type AccountLine, parseAccountsFile } from "../../../../mail/dovecot/accounts-file.ts";
import { formatSize } from "../../../../settings/kinds/kind.ts";
import { hashed } from "../../../../store/passwords/password-hash.ts";
import { loadPasswordJudge } from "../../../../store/passwords/password-strength.ts";
import {
  type Answer,
  type Call,
  confirmed,
  done,
  type Failure,
  failed,
  PROGRAM,
  whileRunning,
  wrongUsage,
} from "../../call.ts";
import { andMore, pageFrom } from "../../listing.ts";
import { judgeFollowed, newPasswordHash, weakLines } from "../../passwords.ts";
import { heldText, recoverCommand } from "../../print/account-facts.ts";
import { columns, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { beyondText, fullOfKeys, keysFor, recoveryKeyOf } from "./account-keys.ts";

export const accountAdd = ofAccount(async (call, name) => {
  const vain = await whyInVain(call, name, "new");
  if (vain !== null) return vain;
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const secret = await secretOf(call, name, password);
  if (!secret.ok) return secret;
  const asked = await call.guard.ask({ verb: "account_create_hashed", name, ...secret.fields });
  if (!asked.ok) return asked;
  // Of an account of this name that was removed.
  const text = `${name} can receive, read and send mail now.${secret.closed}`;
  return done(asked.result, text, `${PROGRAM} account list`);
});

/** Why a password would be typed in vain; null if it would not, as far as is known. */
async function whyInVain(call: Call, name: AccountName, must: "new" | "known"): Promise<Failure | null> {
  const running = await call.guard.ask({ verb: "ping" });
  if (!running.ok) return running;
  const opened = await call.reader();
  if (!opened.ok) return null;
  const isKnown = opened.reader.account(name) !== null;
  if (must === "known") return isKnown ? null : noAccount(name);
  const loaded = settingsOf(call);
  if (loaded.ok && !loaded.settings.domains.includes(domainOf(name))) {
    const { message, next } = notServed(domainOf(name), loaded.settings.domains);
    return failed(message, next);
  }
  return isKnown ? failed(accountExists(name), `${PROGRAM} account passwd ${name}`) : null;
}

/** The guard's part of a password. `closed`: a separate sentence if there is mail that it does not open, or empty. */
export async function secretOf(
  call: Call,
  name: AccountName,
  { hash, passwordHash, password }: Readonly<{ hash: string; passwordHash: string; password: string }>,
) {
  const recoveryKey = recoveryKeyOf(call);
  if (recoveryKey !== null && "ok" in recoveryKey) return recoveryKey;
  const found = await keysFor(call, { name, password }, recoveryKey);
  if (!found.ok) return found;
  const { keys, recovers } = found;
  const locked =
    found.closed && !recovers ? ` Its older mail is locked until you open it: ${recoverCommand(name)}` : "";
  const closed = `${locked}${locked === "" || found.beyond === 0 ? "" : "."}${beyondText(name, found.beyond)}`;
  return { ok: true as const, fields: { hash, passwordHash, keys, recovers }, closed };
}

export const accountPasswd = ofAccount(async (call, name) => {
  const vain = await whyInVain(call, name, "known");
  if (vain !== null) return vain;
  const full = await fullOfKeys(call, name);
  if (full !== null) return full;
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const secret = await secretOf(call, name, password);
  if (!secret.ok) return secret;
  const { fields, closed } = secret;
  const asked = await call.guard.ask({ verb: "account_set_hash", name, ...fields });
  if (!asked.ok) return asked;
  return done(
    { ...asked.result, closed: closed !== "" },
    `${name} has a new password; its open sessions were ended.${closed}`,
    `${PROGRAM} events --type LOGIN_FAILED`,
  );
});

export const accountRemove = ofAccount(async (call, name) => {
  const held = heldText(call.layout, name);
  const opened = await call.reader();
  const notes = [
    ...(held === null ? [] : [held]),
    ...(opened.ok && opened.reader.getsRoleMail(name) ? [NEXT_POSTMASTER] : []),
  ];
  const question = [`Remove ${name}? No one will be able to sign in or send mail to it.`, ...notes].join(" ");
  if (!(await confirmed(call, question))) return failed(`${name} was not removed.`, "");
  const asked = await call.guard.ask({ verb: "account_remove", name });
  if (!asked.ok) return asked;
  const text = `${name} is removed and its open sessions were ended. Its mail stays in ${call.layout.mail}.${held === null ? "" : ` ${held}`}`;
  return done(asked.result, text, `${PROGRAM} account list`);
});

const NEXT_POSTMASTER = `It gets the mail of postmaster@ and abuse@, often alerts too: these go to the oldest other account, if there is one, unless \`${PROGRAM} config set accounts.administrator ADDRESS\` names another.`;

export async function accountList(call: Call): Promise<Answer> {
  const page = pageFrom(call, "accounts");
  if ("ok" in page) return page;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const listed = opened.reader.accounts(page);
  const { items } = listed;
  if (items.length === 0) return done(listed, "There is no account yet.", `${PROGRAM} account add you@example.org`);
  const settings = settingsOf(call);
  const followed = await judgeFollowed(settings.ok ? settings.settings["accounts.follow"] : "", items);
  const isWeak = ({ name }: AccountItem): boolean => followed.weak.has(name);
  const marked = items.map((item) => (isWeak(item) ? { ...item, weakness: followed.weak.get(item.name) } : item));
  const rows = items.map((item) => [
    item.name,
    isWeak(item) ? `${stateOf(item)}, weak password` : stateOf(item),
    dayAndTime(item.createdAt),
    item.lastSignInAt === null ? "-" : dayAndTime(item.lastSignInAt),
    item.quotaBytes === null ? "default" : item.quotaBytes === 0 ? "none" : formatSize(item.quotaBytes),
    item.networks.length === 0 ? "anywhere" : item.networks.map(shown).join(", "),
  ]);
  const more = andMore({ ...listed, shown: items.length }, page.cursor);
  const table = columns([["ACCOUNT", "STATE", "SINCE", "LAST SIGN-IN", "QUOTA", "FROM"], ...rows]);
  return done({ ...listed, items: marked }, [table + more, ...weakLines(followed)].join("\n"));
}

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

export function accountFrom(text: string | undefined): AccountName | Failure {
  const name = parseAccountName(text ?? "");
  return name ?? wrongUsage(`"${oneLine(text ?? "")}" cannot be an account.`, "Write it like anna@example.org.");
}

const MOST_BYTES = 16 * 1024 * 1024;
type Named = FileChanges["skipped"][number];

/**
 * All lines must be valid, or nothing is imported. Existing accounts stay as they are; weak passwords are imported and
 * reported, and so are further fields of a line.
 */
export const accountImport = whileRunning(async (call) => {
  const path = call.args[0] ?? "";
  const accounts = readAccounts(path);
  if ("ok" in accounts) return accounts;
  const added: string[] = [];
  const skipped: Named[] = [];
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
  const weak = await weakOnes(accounts.filter(({ name }) => added.includes(name)));
  const ignored = accounts.flatMap(({ line, name, unused }) =>
    unused.length > 0 ? [{ line, name, fields: unused }] : [],
  );
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
  const text = readText(path);
  if (typeof text !== "string") return text;
  const parsed = parseAccountsFile(text);
  if (parsed.ok) {
    if (parsed.accounts.length > 0) return parsed.accounts;
    return failed(`${oneLine(path)} names no account.`, "Each line must be like anna@example.org|{SCHEME}hash.");
  }
  const { problems } = parsed;
  const lines = problems.map(({ says }) => `- ${says}`);
  const message = `Nothing was imported: ${plural(problems.length, "line")} of ${oneLine(path)} could not be read.`;
  return failed(message, "Correct them and import again.", { lines, json: { ok: false, problems } });
}

function readText(path: string): string | Failure {
  try {
    using file = new Held(openSync(path, "r"));
    if (!file.stat.isFile()) return failed(`${oneLine(path)} is not a file.`, "");
    if (file.stat.size > MOST_BYTES) return failed(`${oneLine(path)} is larger than 16 MB.`, "");
    return readFileSync(file.fd, "utf8");
  } catch (error) {
    const why = codeOf(error) === "ENOENT" ? "does not exist" : "cannot be read";
    return failed(`${oneLine(path)} ${why}.`, "");
  }
}

/** Only passwords in clear text can be checked. */
async function weakOnes(accounts: readonly AccountLine[]): Promise<readonly Named[]> {
  const judge = accounts.some(({ secret }) => secret.type === "plain") ? await loadPasswordJudge() : null;
  return accounts.flatMap(({ name, secret }) => {
    const why = judge !== null && secret.type === "plain" ? judge(secret.password, name) : null;
    return why === null ? [] : [{ name, why }];
  });
}
