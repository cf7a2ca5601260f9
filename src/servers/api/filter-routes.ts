import { PAGE } from "../../wire/control/paging.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import * as shape from "./mail-schemas.ts";
import { type Route, route } from "./route.ts";
import { allowQuery } from "./schemas.ts";

/** What lets mail in: greylisting, the spam filter, and senders whose mail is never spam. */
export function filterRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard, lookups, clock } = parts;
  const { bodyBytes } = API_LIMITS;
  return [
    route({
      method: "GET",
      path: "/api/v1/greylist/pauses",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Recipients for whom greylisting is paused, a page at a time.",
      query: allowQuery,
      answer: shape.pausePage,
      run: ({ by, query }) =>
        command(guard, by, { verb: "greylist_list", ...pageOf(query) }, ({ pauses, ...page }) => ({
          ...page,
          items: [...pauses],
        })),
    }),
    route({
      method: "POST",
      path: "/api/v1/greylist/pauses",
      asks: "greylist_pause",
      who: "session_or_token",
      bodyBytes,
      status: 201,
      says: "Pauses greylisting for a recipient who waits for a mail.",
      body: shape.pauseRequest,
      answer: shape.pause,
      run: ({ by, body }) =>
        command(
          guard,
          by,
          { verb: "greylist_pause", target: body.recipient, for: body.for ?? null },
          ({ pause }) => pause,
        ),
    }),
    route({
      method: "DELETE",
      path: "/api/v1/greylist/pauses/{recipient}",
      asks: "greylist_resume",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Ends a pause of greylisting.",
      params: shape.pauseInPath,
      answer: shape.resumed,
      run: ({ by, params }) =>
        command(guard, by, { verb: "greylist_resume", target: params.recipient }, (result) => result),
    }),
    route({
      method: "GET",
      path: "/api/v1/greylist/waiting",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Mails of strangers that were asked to come again within the last 6 hours, and have not come.",
      answer: shape.waitingList,
      run: () => lookups.ask("waiting", clock.now()),
    }),
    route({
      method: "GET",
      path: "/api/v1/spam",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What the spam filter scored, newest first, a page at a time; with the first page, how much was spam each day.",
      query: shape.spamQuery,
      answer: shape.spamPage,
      run: ({ query: { cursor, limit = PAGE.usual } }) =>
        lookups.ask("spam", clock.now(), { cursor: cursor ?? null, limit }),
    }),
    route({
      method: "GET",
      path: "/api/v1/spam/senders",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Senders whose mail is never spam for an account, a page at a time.",
      query: allowQuery,
      answer: shape.senderPage,
      run: ({ by, query }) =>
        command(guard, by, { verb: "spam_allow_list", ...pageOf(query) }, ({ senders, ...page }) => ({
          ...page,
          items: [...senders],
        })),
    }),
    route({
      method: "POST",
      path: "/api/v1/spam/senders",
      asks: "spam_allow_add",
      who: "session_or_token",
      bodyBytes,
      status: 201,
      says: "From now on no mail of the sender is spam for the account.",
      body: shape.senderRequest,
      answer: shape.senderChanged,
      run: ({ by, body }) => command(guard, by, { verb: "spam_allow_add", ...body }, (result) => result),
    }),
    route({
      method: "DELETE",
      path: "/api/v1/spam/senders",
      asks: "spam_allow_remove",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Mail of the sender to the account is scored again.",
      query: shape.senderAsked,
      answer: shape.senderChanged,
      run: ({ by, query }) => command(guard, by, { verb: "spam_allow_remove", ...query }, (result) => result),
    }),
  ];
}

export function pageOf({
  limit = PAGE.usual,
  cursor,
}: Readonly<{ limit?: number | undefined; cursor?: string | undefined }>) {
  return { limit, cursor: cursor ?? null };
}
