import * as z from "zod";
import type { FileChanges } from "../../../admin/accounts.ts";
import type { CommandOf } from "../../../admin/declare/control.ts";
import { isObject } from "../../../admin/declare/fields.ts";
import { accountName, count, list } from "../../../admin/declare/kinds.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/access/passwords.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { plural } from "../../../core/text.ts";
import { later, SECOND_MS } from "../../../core/time.ts";
import { madePassword } from "../../../guard/access/secrets.ts";
import { type AccountLine, ignoredIn, parseAccountsFile } from "../../../mail/dovecot/accounts-file.ts";
import { type Caller, identityOf } from "../access.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts, Asking, JudgedFor } from "../ports.ts";
import { problem, Uncertain, uncertain } from "../problem.ts";
import { type Route, route, sendToGuard } from "../route.ts";
import { textUpTo } from "./schemas.ts";

/** Limit for a file imported through the web. */
export const MOST_IMPORTED = 100;
const password = textUpTo(MAX_PASSWORD_BYTES, "is not text")
  .min(1, "is empty")
  .optional()
  .describe("Without it the server generates one and returns it once.");

const newAccount = z.strictObject({ name: accountName, password });
const newPassword = z.strictObject({ password });
const secretMade = z.object({
  name: z.string(),
  password: z.string().nullable().describe("The generated password, shown once; null if the request had one."),
});

const accountsFile = z.strictObject({
  file: z.string("is missing, or not text").describe("Lines such as `anna@example.org|{SHA512-CRYPT}$6$…`."),
});
const reasons = z.array(z.object({ name: z.string(), why: z.string() }));
const imported = z.object({
  added: z.array(z.string()),
  skipped: reasons.describe("Accounts that were not imported."),
  ignored: z
    .array(z.object({ line: count, name: z.string(), fields: list(z.string()) }))
    .describe("Further fields of the lines, which are ignored."),
  weak: reasons.describe("Imported with a clear-text password that is easy to guess."),
  unjudged: z.array(z.string()).describe("Imported with a clear-text password that was not checked for lack of time."),
});

type Parts = Pick<ApiParts, "guard" | "passwords" | "clock">;

/** The routes of accounts that are not derived from `src/admin/accounts.ts`, where the rights of their commands are declared. */
export function accountRoutes(parts: Parts): readonly Route[] {
  return [
    route("POST /api/v1/accounts", {
      says: "Adds an account.",
      needs: "admin",
      asks: "account_create",
      status: 201,
      body: newAccount,
      answer: secretMade,
      run: (call) => withPassword(parts, call, { verb: "account_create", name: call.body.name }, call.body.password),
    }),
    route("POST /api/v1/accounts/import", {
      says: "Adds the accounts of a file in the format of postfix-accounts.cf; all its lines must be valid.",
      needs: "admin",
      asks: "accounts_import",
      body: accountsFile,
      answer: imported,
      run: (call) => importAccounts(parts, call, call.body.file),
    }),
    route("POST /api/v1/accounts/{name}/password", {
      says: "Sets a new password and ends the account's open sessions.",
      needs: "admin",
      asks: "account_set_password",
      params: z.object({ name: accountName }),
      body: newPassword,
      answer: secretMade,
      run: (call) =>
        withPassword(parts, call, { verb: "account_set_password", name: call.params.name }, call.body.password),
    }),
  ];
}

/** Uses the given password, which must be hard to guess, or generates one, which is shown once. */
async function withPassword(
  parts: Parts,
  from: From,
  set: Readonly<{ verb: "account_create" | "account_set_password"; name: AccountName }>,
  typed: string | undefined,
) {
  const password = typed ?? madePassword();
  const asked = { ...set, password };
  if (typed !== undefined) {
    const refused = await whyRefused(parts, from, asked, set.name);
    if (refused !== null) return refused;
  }
  const answer = await sendToGuard(parts.guard, from, asked, (result) => result);
  if (answer instanceof Response) return answer;
  return { ...answer, password: typed !== undefined ? null : from.isDry ? "" : password };
}

type From = Asking & Readonly<{ caller: Caller | null }>;

/**
 * Returns null if the password may be set. Asks the guard first: judging takes up to two seconds, and callers who may not set a password,
 * or did so too often, must not keep others waiting.
 */
export async function whyRefused(
  { guard, passwords }: Pick<Parts, "guard" | "passwords">,
  from: From,
  asked: CommandOf<"account_create" | "account_set_password" | "my_password">,
  owner: AccountName,
): Promise<Response | null> {
  const refused = await sendToGuard(guard, { ...from, isDry: true }, asked, () => null);
  if (refused !== null) return refused;
  const detail = await passwords.judge({ owner, password: asked.password }, judgedFor(from.caller));
  const orNone = asked.verb === "my_password" ? "" : " Or give none, and the server makes one.";
  const next = `Choose another one: several unrelated words make a good one.${orNone}`;
  return detail === null ? null : problem("invalid_request", detail, { next });
}

function judgedFor(caller: Caller | null): JudgedFor {
  return { caller: identityOf(caller), isAdministrator: caller !== null && caller.account === null };
}

/** Accounts per command, few enough that the guard hashes their passwords within seconds. */
const AT_ONCE = 25;
const LINES_SHOWN = 3;
/** How long after the arrival of a request its passwords are judged: the answer must be sent before `answerMs`. */
const JUDGED_WITHIN_MS = API_LIMITS.answerMs - 3 * SECOND_MS;

type Imported = z.output<typeof imported>;
type ImportedPart = Pick<Imported, "added" | "weak" | "unjudged">;

/**
 * Imports the accounts of a file, like `account import`: all its lines must be valid, and existing accounts are not changed.
 * Passwords in clear text are judged afterwards, as far as the time allows: a weak one is imported and reported.
 */
async function importAccounts(parts: Parts, from: From, file: string): Promise<Imported | Response> {
  const { guard, passwords, clock } = parts;
  const accounts = readFile(file);
  if (accounts instanceof Response) return accounts;
  const until = later(clock.now(), JUDGED_WITHIN_MS);
  const added: string[] = [];
  const skipped: FileChanges["skipped"][number][] = [];
  /** Accounts of a part whose answer is uncertain. */
  const perhaps: string[] = [];
  let refusal: Response | null = null;
  for (let i = 0; i < accounts.length; i += AT_ONCE) {
    const entries = accounts.slice(i, i + AT_ONCE).map(entryOf);
    const done = await sendToGuard(guard, from, { verb: "accounts_import", entries }, (result) => result);
    if (done instanceof Response) {
      refusal = done;
      if (done instanceof Uncertain) perhaps.push(...entries.map(({ name }) => name));
      break;
    }
    added.push(...done.added);
    skipped.push(...done.skipped);
  }
  const ignored = ignoredIn(accounts);
  const typed = accounts.flatMap(({ name, secret }) =>
    secret.type === "plain" && (added.includes(name) || perhaps.includes(name))
      ? [{ owner: name, password: secret.password }]
      : [],
  );
  if (refusal !== null && added.length === 0 && typed.length === 0) return refusal;
  const problems = await passwords.judgeSome(typed, judgedFor(from.caller), until - clock.now());
  const weak = typed.flatMap(({ owner: name }, i) => {
    const why = problems[i] ?? null;
    return why === null ? [] : [{ name, why }];
  });
  const unjudged = typed.slice(problems.length).map(({ owner }) => owner);
  return refusal === null ? { added, skipped, ignored, weak, unjudged } : broken(refusal, { added, weak, unjudged });
}

function readFile(file: string): readonly AccountLine[] | Response {
  const refused = (detail: string, next: string): Response => problem("invalid_request", detail, { next });
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
    const most = `at most ${MOST_IMPORTED} can be imported at once here`;
    return refused(`The file has ${plural(length, "account")}, and ${most}.`, "Use `account import` on the server.");
  }
  return parsed.accounts;
}

function entryOf({ name, secret, quotaBytes }: AccountLine) {
  const quota = quotaBytes === null ? {} : { quotaBytes };
  return secret.type === "hash" ? { name, hash: secret.hash, ...quota } : { name, password: secret.password, ...quota };
}

/** Reports a failed part after others. Includes the passwords of accounts that were or may have been imported: a repeat skips them. */
async function broken(refusal: Response, { added, weak, unjudged }: ImportedPart): Promise<Response> {
  const body: unknown = await refusal.json();
  const why = isObject(body) ? String(body["detail"]) : "";
  const isUncertain = refusal instanceof Uncertain;
  const imported = `${plural(added.length, "account")} imported, ${isUncertain ? "perhaps more" : "and then no more"}`;
  const list = (names: readonly string[]): string =>
    names.map((name) => (added.includes(name) ? name : `${name} (if imported)`)).join(", ");
  const passwords = [
    ...(weak.length > 0 ? [` Weak passwords: ${list(weak.map(({ name }) => name))}.`] : []),
    ...(unjudged.length > 0 ? [` Passwords not judged: ${list(unjudged)}.`] : []),
  ].join("");
  const next = "Import the file again: those that exist are skipped.";
  const response = problem("refused", `${imported}: ${why}${passwords}`, { next });
  return isUncertain ? uncertain(response) : response;
}
