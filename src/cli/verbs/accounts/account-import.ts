import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { hashed } from "../../../adapters/accounts/account-secret.ts";
import { loadPasswordJudge } from "../../../adapters/accounts/password-strength.ts";
import { codeOf } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { ENTRIES_PER_COMMAND } from "../../../wire/control/control.ts";
import type { FileChanges } from "../../../wire/control/items.ts";
import { type AccountLine, parseAccountsFile } from "../../../wire/dovecot/accounts-file.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { oneLine } from "../../print/text.ts";

const MOST_BYTES = 16 * 1024 * 1024;
type Named = FileChanges["skipped"][number];

/**
 * All lines must be valid, or nothing is imported. Existing accounts stay as they are; weak passwords are imported and
 * reported, and so are further fields of a line.
 */
export async function accountImport(call: CommandCall): Promise<CommandOutcome> {
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const path = call.args[0] ?? "";
  const accounts = readAccounts(path);
  if ("ok" in accounts) return accounts;
  const added: string[] = [];
  const skipped: Named[] = [];
  for (let i = 0; i < accounts.length; i += ENTRIES_PER_COMMAND) {
    call.terminal.progress(`${i} of ${plural(accounts.length, "account")}`);
    const lines = accounts.slice(i, i + ENTRIES_PER_COMMAND);
    const entries = await Promise.all(lines.map((line) => hashed(line, call.layout.loginPolicySecret)));
    const asked = await call.guard.ask<"accounts_import">({ verb: "accounts_import", entries });
    if (!asked.ok) return asked;
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
}

function readAccounts(path: string): readonly AccountLine[] | CommandFailure {
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
  return { ...failed(message, "Correct them and import again."), found: { lines, json: { ok: false, problems } } };
}

function readText(path: string): string | CommandFailure {
  try {
    const file = openSync(path, "r");
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return failed(`${oneLine(path)} is no file.`, "");
      if (stat.size > MOST_BYTES) return failed(`${oneLine(path)} is larger than 16 MB.`, "");
      return readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
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
