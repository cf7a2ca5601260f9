import { parseAccountName } from "../../core/net/address.ts";
import { whyRefused } from "./account-routes.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import * as shape from "./me-schemas.ts";
import { unauthorized } from "./problem.ts";
import { type Route, route } from "./route.ts";

/** What a user changes of the own mailbox. */
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
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/sessions",
      asks: "my_sessions_end",
      bodyBytes: 0,
      says: "Signs the user out of this page everywhere else.",
      answer: shape.ended,
      run: ({ by }) => command(guard, by, { verb: "my_sessions_end" }, (result) => result),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/me/senders",
      asks: "my_sender_add",
      bodyBytes,
      status: 201,
      says: "From now on no mail of the sender to the mailbox is spam.",
      body: shape.senderGiven,
      answer: shape.senderNamed,
      run: ({ by, body }) => command(guard, by, { verb: "my_sender_add", ...body }, (result) => result),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/senders",
      asks: "my_sender_remove",
      bodyBytes: 0,
      says: "Mail of the sender to the mailbox is scored again.",
      query: shape.senderAsked,
      answer: shape.senderNamed,
      run: ({ by, query }) => command(guard, by, { verb: "my_sender_remove", ...query }, (result) => result),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/me/greylist-pause",
      asks: "my_greylist_pause",
      bodyBytes,
      says: "Lets first mails of strangers to the mailbox come at once, for a while.",
      body: shape.pauseRequest,
      answer: shape.paused,
      run: ({ by, body }) =>
        command(guard, by, { verb: "my_greylist_pause", for: body.for ?? null }, (result) => result),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/me/greylist-pause",
      asks: "my_greylist_resume",
      bodyBytes: 0,
      says: "Ends the pause.",
      answer: shape.done,
      run: ({ by }) => command(guard, by, { verb: "my_greylist_resume" }, (result) => result),
    }),
  ];
}
