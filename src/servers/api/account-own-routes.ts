import { noAccount } from "./account-routes.ts";
import { accountInPath, appPasswordOfAccount } from "./account-schemas.ts";
import { command } from "./commands.ts";
import { API_LIMITS } from "./limits.ts";
import { shown, told } from "./me-own-routes.ts";
import * as shape from "./me-own-schemas.ts";
import type { ApiParts } from "./ports.ts";
import { type Route, route } from "./route.ts";

/** What users set for themselves below `/api/v1/me`, of any account: an owner needs it after a break-in, or for a user who cannot. */
export function accountOwnRoutes({ guard }: Pick<ApiParts, "guard">): readonly Route[] {
  const common = { who: "session_or_token", needs: "admin" } as const;
  const { bodyBytes } = API_LIMITS;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/v1/accounts/{name}/app-passwords",
      asks: "app_passwords",
      bodyBytes: 0,
      says: "The account's passwords of single mail programs: who made each, and when it was used last.",
      params: accountInPath,
      answer: shape.appPasswordsOf,
      run: async ({ by, params }) => {
        const found = await command(guard, by, { verb: "app_passwords", ...params }, ({ account }) => account);
        if (found === null) return noAccount();
        if (found instanceof Response) return found;
        return { items: found.appPasswords.map((item) => ({ ...shown(item), madeBy: item.madeBy })) };
      },
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/accounts/{name}/app-passwords",
      asks: "app_password_add",
      bodyBytes,
      status: 201,
      says: "Makes a password for a single mail program of the account, which is told only now.",
      params: accountInPath,
      body: shape.newAppPassword,
      answer: shape.appPasswordMade,
      run: ({ by, params, body }) =>
        command(guard, by, { verb: "app_password_add", ...params, app: body.name }, ({ app, password }) => ({
          id: app,
          name: app,
          password,
        })),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/accounts/{name}/app-passwords/{id}",
      asks: "app_password_remove",
      bodyBytes: 0,
      says: "Removes the password of a single mail program, and ends the account's open sessions.",
      params: appPasswordOfAccount,
      answer: shape.appPasswordNamed,
      run: ({ by, params: { name, id } }) =>
        command(guard, by, { verb: "app_password_remove", name, app: id }, ({ app }) => ({ id: app })),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/v1/accounts/{name}/forwarding",
      asks: "forwarding",
      bodyBytes: 0,
      says: "Where the account's mail is sent on.",
      params: accountInPath,
      answer: shape.forwarding,
      run: async ({ by, params }) => {
        const found = await command(guard, by, { verb: "forwarding", ...params }, ({ account }) => account);
        if (found === null) return noAccount();
        return found instanceof Response ? found : told(found.forwarding ?? { to: [], keep: true });
      },
    }),
    route({
      ...common,
      method: "PUT",
      path: "/api/v1/accounts/{name}/forwarding",
      asks: "forward_set",
      bodyBytes,
      says: "Sends the account's mail on to these addresses.",
      params: accountInPath,
      body: shape.newForwarding,
      answer: shape.forwarding,
      run: ({ by, params, body }) => command(guard, by, { verb: "forward_set", ...params, ...body }, told),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/accounts/{name}/forwarding",
      asks: "forward_set",
      bodyBytes: 0,
      says: "Sends the account's mail on no longer.",
      params: accountInPath,
      answer: shape.forwarding,
      run: ({ by, params }) => command(guard, by, { verb: "forward_set", ...params, to: [], keep: true }, told),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/v1/accounts/{name}/vacation",
      asks: "vacation",
      bodyBytes: 0,
      says: "The reply that the account sends while its user is away.",
      params: accountInPath,
      answer: shape.vacation,
      run: async ({ by, params }) => {
        const found = await command(guard, by, { verb: "vacation", ...params }, ({ account }) => account);
        return found ?? noAccount();
      },
    }),
    route({
      ...common,
      method: "PUT",
      path: "/api/v1/accounts/{name}/vacation",
      asks: "vacation_set",
      bodyBytes: API_LIMITS.vacationBodyBytes,
      says: "Replies to the account's mail while its user is away, to each proven sender once in seven days.",
      params: accountInPath,
      body: shape.newVacation,
      answer: shape.vacation,
      run: ({ by, params, body }) =>
        command(guard, by, { verb: "vacation_set", ...params, ...body }, ({ vacation }) => ({ vacation })),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/accounts/{name}/vacation",
      asks: "vacation_set",
      bodyBytes: 0,
      says: "Sends no more replies for the account.",
      params: accountInPath,
      answer: shape.vacation,
      run: ({ by, params }) =>
        command(guard, by, { verb: "vacation_set", ...params, subject: "", text: null, until: null }, (result) => ({
          vacation: result.vacation,
        })),
    }),
  ];
}
