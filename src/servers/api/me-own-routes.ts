import type { AppPasswordItem } from "../../wire/control/access-items.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import * as shape from "./me-own-schemas.ts";
import { type Route, route } from "./route.ts";

/** What a user has besides the password of the mailbox: app passwords, and where its mail is sent on. */
export function meOwnRoutes({ parts: { guard } }: Pick<Handlers, "parts">): readonly Route[] {
  const common = { who: "session", needs: "mailbox" } as const;
  const { bodyBytes } = API_LIMITS;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/v1/me/app-passwords",
      asks: "my_app_passwords",
      bodyBytes: 0,
      says: "The passwords of single mail programs, and when each was used last.",
      answer: shape.appPasswords,
      run: ({ by }) =>
        command(guard, by, { verb: "my_app_passwords" }, ({ appPasswords }) => ({ items: appPasswords.map(shown) })),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/me/app-passwords",
      asks: "my_app_password_add",
      bodyBytes,
      status: 201,
      says: "Makes a password for a single mail program, which is told only now. Needs a fresh proof.",
      body: shape.newAppPassword,
      answer: shape.appPasswordMade,
      run: ({ by, body }) =>
        command(guard, by, { verb: "my_app_password_add", app: body.name }, ({ app, password }) => ({
          id: app,
          name: app,
          password,
        })),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/app-passwords/{id}",
      asks: "my_app_password_remove",
      bodyBytes: 0,
      says: "Removes the password of a single mail program, and ends the open sessions of mail programs.",
      params: shape.appPasswordInPath,
      answer: shape.appPasswordNamed,
      run: ({ by, params }) =>
        command(guard, by, { verb: "my_app_password_remove", app: params.id }, ({ app }) => ({ id: app })),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/v1/me/forwarding",
      asks: "my_forwarding",
      bodyBytes: 0,
      says: "Where the mail of the mailbox is sent on.",
      answer: shape.forwarding,
      run: ({ by }) =>
        command(guard, by, { verb: "my_forwarding" }, ({ forwarding }) => told(forwarding ?? { to: [], keep: true })),
    }),
    route({
      ...common,
      method: "PUT",
      path: "/api/v1/me/forwarding",
      asks: "my_forwarding_set",
      bodyBytes,
      says: "Sends the mail of the mailbox on to these addresses. Needs a fresh proof.",
      body: shape.newForwarding,
      answer: shape.forwarding,
      run: ({ by, body }) => command(guard, by, { verb: "my_forwarding_set", ...body }, told),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/forwarding",
      asks: "my_forwarding_set",
      bodyBytes: 0,
      says: "Sends no mail on any longer. Needs a fresh proof.",
      answer: shape.forwarding,
      run: ({ by }) => command(guard, by, { verb: "my_forwarding_set", to: [], keep: true }, told),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/v1/me/vacation",
      asks: "my_vacation",
      bodyBytes: 0,
      says: "The reply that is sent while the user is away.",
      answer: shape.vacation,
      run: ({ by }) => command(guard, by, { verb: "my_vacation" }, ({ vacation }) => ({ vacation })),
    }),
    route({
      ...common,
      method: "PUT",
      path: "/api/v1/me/vacation",
      asks: "my_vacation_set",
      bodyBytes: API_LIMITS.vacationBodyBytes,
      says: "Replies to mail while the user is away, to each proven sender once in seven days. Needs a fresh proof.",
      body: shape.newVacation,
      answer: shape.vacation,
      run: ({ by, body }) => command(guard, by, { verb: "my_vacation_set", ...body }, ({ vacation }) => ({ vacation })),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/vacation",
      asks: "my_vacation_set",
      bodyBytes: 0,
      says: "Sends no more replies. Needs a fresh proof.",
      answer: shape.vacation,
      run: ({ by }) =>
        command(guard, by, { verb: "my_vacation_set", subject: "", text: null, until: null }, ({ vacation }) => ({
          vacation,
        })),
    }),
  ];
}

/** As both routes of app passwords tell it. */
export function shown({ name, madeAt, usedAt }: AppPasswordItem) {
  return { id: name, name, made: madeAt, lastUsed: usedAt };
}

export function told({ to, keep }: Readonly<{ to: readonly string[]; keep: boolean }>) {
  return { to: [...to], keep };
}
