import type { PasskeyItem } from "../../wire/control/access-items.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import * as shape from "./passkey-schemas.ts";
import { type Route, route } from "./route.ts";

/** The passkeys of the sign-in. The guard asks for them, and verifies all that a browser tells of one. */
export function passkeyRoutes({ parts: { guard } }: Pick<Handlers, "parts">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/factors/passkeys",
      asks: "passkey_list",
      who: "session_or_token",
      bodyBytes: 0,
      needs: "admin",
      says: "The passkeys that sign in, the oldest first.",
      answer: shape.passkeyList,
      run: ({ by }) =>
        command(guard, by, { verb: "passkey_list" }, ({ passkeys }) => ({ items: passkeys.map(shownPasskey) })),
    }),
    route({
      method: "POST",
      path: "/api/v1/factors/passkeys",
      asks: "passkey_begin",
      who: "session",
      bodyBytes: 0,
      says: "What a browser needs to make a passkey, within two minutes and in this session. Needs a fresh proof.",
      answer: shape.passkeyAsked,
      run: ({ by }) =>
        command(guard, by, { verb: "passkey_begin" }, ({ known, ...asked }) => ({ ...asked, known: [...known] })),
    }),
    route({
      method: "POST",
      path: "/api/v1/factors/passkeys/confirm",
      asks: "passkey_add",
      who: "session",
      bodyBytes: API_LIMITS.loginBodyBytes,
      status: 201,
      says: "Adds the passkey that the browser made. Needs a fresh proof.",
      body: shape.passkeyMade,
      answer: shape.passkeyNamed,
      run: ({ by, body }) => command(guard, by, { verb: "passkey_add", ...body }, (result) => result),
    }),
    route({
      method: "DELETE",
      path: "/api/v1/factors/passkeys/{id}",
      asks: "passkey_remove",
      who: "session",
      bodyBytes: 0,
      says: "Removes a passkey; the last one too. Needs a fresh proof.",
      params: shape.passkeyInPath,
      answer: shape.passkeyNamed,
      run: ({ by, params }) => command(guard, by, { verb: "passkey_remove", id: params.id }, (result) => result),
    }),
  ];
}

export function shownPasskey({ createdAt, usedAt, ...passkey }: PasskeyItem) {
  return { ...passkey, created: createdAt, lastUsed: usedAt };
}
