import type { MyMailbox } from "../../wire/control/results.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import * as shape from "./me-schemas.ts";
import { type Route, route } from "./route.ts";

/** The caller's own mailbox: the guard takes the account from the session, never from the request. */
export function meRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard } = parts;
  const common = { who: "session", needs: "mailbox" } as const;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/v1/me",
      asks: "my_mailbox",
      bodyBytes: 0,
      says: "The mailbox of the user who asks: how full it is, its other addresses, and from where it signs in.",
      answer: shape.mailbox,
      run: ({ by }) => command(guard, by, { verb: "my_mailbox" }, toldOf),
    }),
  ];
}

/** Each field by its name, so that nothing else of an account leaves the server here. */
function toldOf({ account, quotaBytes, usedBytes, mails, ...rest }: MyMailbox) {
  const { aliases, networks, guarded, greylistPausedUntil, passwordOnServer } = rest;
  const use = { quotaBytes, usedBytes, mails };
  return {
    account,
    ...use,
    aliases: [...aliases],
    networks: [...networks],
    guarded,
    greylistPausedUntil,
    passwordOnServer,
  };
}
