import { parseAccountName } from "../../../core/net/address.ts";
import { command } from "../commands.ts";
import type { Handlers } from "../handlers.ts";
import { API_LIMITS } from "../limits.ts";
import { unauthorized } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { whyRefused } from "./account-routes.ts";
import * as shape from "./me-schemas.ts";

/** The changes that users make to their own mailbox. */
export function meChanges({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard } = parts;
  const common = { who: "session", needs: "mailbox" } as const;
  const { bodyBytes } = API_LIMITS;
  return [
    route({
      ...common,
      method: "POST",
      path: "/api/v1/me/password",
      asks: "my_password",
      bodyBytes,
      says: "Sets a new password of the mailbox, and ends its other sessions, also in mail programs.",
      body: shape.newPassword,
      answer: shape.done,
      run: async ({ by, caller, body }) => {
        const owner = parseAccountName(caller?.account ?? "");
        if (owner === null) return unauthorized();
        const asked = { verb: "my_password", ...body } as const;
        const refused = await whyRefused(parts, { by, caller }, asked, owner);
        return refused ?? command(guard, by, asked, (result) => result);
      },
    }),
  ];
}
