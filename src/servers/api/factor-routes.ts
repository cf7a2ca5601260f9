import * as shape from "./access-schemas.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import { shownPasskey } from "./passkey-routes.ts";
import { type Route, route } from "./route.ts";

/** The second factors of the sign-in. The guard makes and verifies all of them; its secrets pass here once, when they are made. */
export function factorRoutes({ parts: { guard } }: Pick<Handlers, "parts">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/factors",
      asks: "factor_list",
      who: "session_or_token",
      bodyBytes: 0,
      needs: "admin",
      says: "Which second factors and passkeys the sign-in has.",
      answer: shape.factors,
      run: async ({ by }) => {
        const factors = await command(guard, by, { verb: "factor_list" }, ({ totp, recoveryLeft }) => ({
          totp,
          recoveryLeft,
        }));
        if (factors instanceof Response) return factors;
        return command(guard, by, { verb: "passkey_list" }, ({ passkeys }) => ({
          ...factors,
          passkeys: passkeys.map(shownPasskey),
        }));
      },
    }),
    route({
      method: "POST",
      path: "/api/v1/factors/totp",
      asks: "totp_begin",
      who: "session",
      bodyBytes: 0,
      says: "A new secret for an authenticator app, which counts once its first code is given. Needs a fresh proof.",
      answer: shape.totpBegun,
      run: ({ by }) => command(guard, by, { verb: "totp_begin" }, (result) => result),
    }),
    route({
      method: "POST",
      path: "/api/v1/factors/totp/confirm",
      asks: "totp_confirm",
      who: "session",
      bodyBytes: API_LIMITS.bodyBytes,
      says: "The first code of the app, in the same session within 10 minutes. Tells the recovery codes, only now.",
      body: shape.codeGiven,
      answer: shape.recoveryCodes,
      run: ({ by, body }) =>
        command(guard, by, { verb: "totp_confirm", code: body.code }, ({ codes }) => ({ recoveryCodes: [...codes] })),
    }),
    route({
      method: "DELETE",
      path: "/api/v1/factors/totp",
      asks: "totp_remove",
      who: "session",
      bodyBytes: 0,
      says: "Removes the authenticator app and its recovery codes. Needs a fresh proof.",
      answer: shape.factorChanged,
      run: ({ by }) => command(guard, by, { verb: "totp_remove" }, (result) => result),
    }),
    route({
      method: "POST",
      path: "/api/v1/factors/recovery",
      asks: "recovery_renew",
      who: "session",
      bodyBytes: 0,
      says: "Makes new recovery codes in place of the former, told only now. Needs a fresh proof.",
      answer: shape.recoveryCodes,
      run: ({ by }) => command(guard, by, { verb: "recovery_renew" }, ({ codes }) => ({ recoveryCodes: [...codes] })),
    }),
  ];
}
