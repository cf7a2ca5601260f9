import { plural } from "../../../core/text.ts";
import { later, SECOND_MS } from "../../../core/time.ts";
import { isObject } from "../../../wire/control/fields.ts";
import type { FileChanges } from "../../../wire/control/items.ts";
import { type AccountLine, parseAccountsFile } from "../../../wire/dovecot/accounts-file.ts";
import { command } from "../commands.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts, Asker, JudgedFor } from "../ports.ts";
import { problem } from "../problem.ts";
import { MOST_IMPORTED } from "./account-schemas.ts";

/** Accounts per command. Their passwords are hashed within seconds. */
const AT_ONCE = 25;
const LINES_SHOWN = 3;
/** Milliseconds after the arrival of the request until which passwords are judged: the answer must be sent before `answerMs`. */
const JUDGED_WITHIN_MS = API_LIMITS.answerMs - 3 * SECOND_MS;

type Named = FileChanges["skipped"][number];
type Imported = {
  added: string[];
  skipped: Named[];
  ignored: { line: number; name: string; fields: string[] }[];
  weak: Named[];
  unjudged: string[];
};

/**
 * Imports the accounts of a file, like `account import`: all its lines must be valid, and existing accounts are not changed.
 * Passwords in clear text are judged afterwards, as far as the time allows: a weak one is imported and reported.
 */
export async function importAccounts(
  { guard, passwords, clock }: Pick<ApiParts, "guard" | "passwords" | "clock">,
  { by, judgedFor }: Readonly<{ by: Asker; judgedFor: JudgedFor }>,
  file: string,
): Promise<Imported | Response> {
  const accounts = readFile(file);
  if (accounts instanceof Response) return accounts;
  const until = later(clock.now(), JUDGED_WITHIN_MS);
  const added: string[] = [];
  const skipped: Named[] = [];
  for (let i = 0; i < accounts.length; i += AT_ONCE) {
    const entries = accounts.slice(i, i + AT_ONCE).map(entryOf);
    const done = await command(guard, by, { verb: "accounts_bring", entries }, (result) => result);
    if (done instanceof Response) return added.length === 0 ? done : broken(added.length, done);
    added.push(...done.added);
    skipped.push(...done.skipped);
  }
  const ignored = accounts.flatMap(({ line, name, unused }) =>
    unused.length > 0 ? [{ line, name, fields: [...unused] }] : [],
  );
  const typed = accounts.flatMap(({ name, secret }) =>
    secret.type === "plain" && added.includes(name) ? [{ owner: name, password: secret.password }] : [],
  );
  const problems = await passwords.judgeSome(typed, judgedFor, until - clock.now());
  const weak = typed.flatMap(({ owner: name }, i) => {
    const why = problems[i] ?? null;
    return why === null ? [] : [{ name, why }];
  });
  const unjudged = typed.slice(problems.length).map(({ owner }) => owner);
  return { added, skipped, ignored, weak, unjudged };
}

function readFile(file: string): readonly AccountLine[] | Response {
  const refused = (detail: string, next: string): Response =>
    problem({ status: 400, code: "invalid_request", detail, next });
  const parsed = parseAccountsFile(file);
  if (!parsed.ok) {
    const { problems } = parsed;
    const some = problems.slice(0, LINES_SHOWN).map(({ says }) => says);
    const count = plural(problems.length, "line");
    return refused(`Nothing was imported: ${count} could not be read. ${some.join(" ")}`, "Correct the file.");
  }
  const { length } = parsed.accounts;
  if (length === 0) return refused("The file names no account.", "Write lines like anna@example.org|{SCHEME}hash.");
  if (length > MOST_IMPORTED) {
    const next = "Use `account import` on the server.";
    return refused(
      `The file has ${plural(length, "account")}, and at most ${MOST_IMPORTED} can be imported at once here.`,
      next,
    );
  }
  return parsed.accounts;
}

function entryOf({ name, secret, quotaBytes }: AccountLine) {
  const quota = quotaBytes === null ? {} : { quotaBytes };
  return secret.type === "hash" ? { name, hash: secret.hash, ...quota } : { name, password: secret.password, ...quota };
}

/** Some were imported before. */
async function broken(count: number, refusal: Response): Promise<Response> {
  const said: unknown = await refusal.json();
  const why = isObject(said) ? String(said["detail"]) : "";
  const detail = `${plural(count, "account")} imported, and then no more: ${why}`;
  return problem({
    status: 409,
    code: "refused",
    detail,
    next: "Import the file again: those that exist are skipped.",
  });
}
