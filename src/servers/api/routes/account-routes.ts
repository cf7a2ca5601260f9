import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import { madePassword } from "../../../engine/access/made-password.ts";
import { type Caller, identityOf } from "../access.ts";
import { command } from "../commands.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts, Asker, CommandOf, JudgedFor } from "../ports.ts";
import { problem } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { importAccounts } from "./account-import.ts";
import * as shape from "./account-schemas.ts";

type Parts = Pick<ApiParts, "guard" | "passwords" | "clock">;

/** Accounts of users. Only the guard changes them; the required rights are in its own table. */
export function accountRoutes(parts: Parts): readonly Route[] {
  const { guard } = parts;
  const common = { who: "session_or_token", needs: "admin" } as const;
  const { bodyBytes, accountsBodyBytes } = API_LIMITS;
  return [
    route({
      ...common,
      method: "POST",
      path: "/api/v1/accounts",
      asks: "account_make",
      bodyBytes,
      status: 201,
      says: "Adds an account.",
      body: shape.newAccount,
      answer: shape.secretMade,
      run: ({ by, caller, body: { name, password } }) =>
        withPassword(parts, { by, caller }, { verb: "account_make", name }, password),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/accounts/import",
      asks: "accounts_bring",
      bodyBytes: accountsBodyBytes,
      says: "Adds the accounts of a file of postfix-accounts.cf's format; all its lines must be right.",
      body: shape.accountsFile,
      answer: shape.imported,
      run: ({ by, caller, body }) => importAccounts(parts, { by, judgedFor: judgedFor(caller) }, body.file),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/accounts/{name}/password",
      asks: "account_password",
      bodyBytes,
      says: "Sets a new password and ends the account's open sessions.",
      params: shape.accountInPath,
      body: shape.newPassword,
      answer: shape.secretMade,
      run: ({ by, caller, params: { name }, body }) =>
        withPassword(parts, { by, caller }, { verb: "account_password", name }, body.password),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/accounts/{name}/networks/{network}",
      asks: "networks_remove",
      bodyBytes: 0,
      says: "Takes away a network; with the last one gone the account may sign in from anywhere.",
      params: shape.networkOfAccount,
      answer: shape.networksOf,
      run: ({ by, params: { name, network } }) =>
        command(guard, by, { verb: "networks_remove", name, networks: [network] }, plainNetworks),
    }),
  ];
}

function plainNetworks({ name, networks }: Readonly<{ name: string; networks: readonly string[] }>) {
  return { name, networks: [...networks] };
}

/** With the password as typed, which must be hard to guess, or with a generated one, which is shown once. */
async function withPassword(
  parts: Parts,
  from: From,
  set: Readonly<{ verb: "account_make" | "account_password"; name: string }>,
  typed: string | undefined,
) {
  const password = typed ?? madePassword();
  const asked = { ...set, password };
  const owner = parseAccountName(set.name);
  if (typed !== undefined && owner !== null) {
    const refused = await whyRefused(parts, from, asked, owner);
    if (refused !== null) return refused;
  }
  const answer = await command(parts.guard, from.by, asked, (result) => result);
  return answer instanceof Response ? answer : { ...answer, password: typed === undefined ? password : null };
}

type From = Readonly<{ by: Asker; caller: Caller | null }>;

/**
 * Null: it may be set. The guard is asked first, since judging a password takes up to two seconds: callers who may not set it, or did so
 * too often, must not keep others waiting.
 */
export async function whyRefused(
  { guard, passwords }: Pick<Parts, "guard" | "passwords">,
  { by, caller }: From,
  asked: CommandOf<"account_make" | "account_password" | "my_password">,
  owner: AccountName,
): Promise<Response | null> {
  const tried: Asker = by === "web" ? by : { ...by, isDry: true };
  const refused = await command(guard, tried, asked, () => null);
  if (refused !== null) return refused;
  const detail = await passwords.judge({ owner, password: asked.password }, judgedFor(caller));
  const next = "Choose another one: several unrelated words make a good one. Or name none, and the server makes one.";
  return detail === null ? null : problem({ status: 400, code: "invalid_request", detail, next });
}

function judgedFor(caller: Caller | null): JudgedFor {
  return { caller: identityOf(caller), isAdministrator: caller !== null && caller.account === null };
}
