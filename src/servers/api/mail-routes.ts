import type { Results, WebVerb } from "../../wire/control/control.ts";
import { PAGE } from "../../wire/control/paging.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import * as shape from "./mail-schemas.ts";
import { type Route, route } from "./route.ts";

/** Mail in Postfix's queue. */
export function mailRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard } = parts;
  const { bodyBytes } = API_LIMITS;
  return [
    route({
      method: "GET",
      path: "/api/v1/queue",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Mail in Postfix's queue, the oldest first, a page at a time: all, or what fits.",
      query: shape.queueQuery,
      answer: shape.queuePage,
      run: ({ by, query }) =>
        command(guard, by, { verb: "queue_list", ...chosen(query), ...pageOf(query) }, ({ mails, ...page }) => ({
          ...page,
          items: mails.map((mail) => ({ ...mail, recipients: mail.recipients.map((one) => ({ ...one })) })),
        })),
    }),
    ...REVERSIBLE.map(({ verb, path, says }) =>
      route({
        method: "POST",
        path,
        asks: verb,
        who: "session_or_token",
        bodyBytes,
        says,
        body: shape.mailChoice,
        answer: shape.queueChanged,
        run: ({ by, body }) => {
          const isAll = body.all === true;
          return command(guard, by, { verb, ...chosen(body), isAll, cursor: body.cursor ?? null }, changed);
        },
      }),
    ),
    ...FINAL.map(({ verb, path, says }) =>
      route({
        method: "POST",
        path,
        asks: verb,
        who: "session_or_token",
        bodyBytes,
        says,
        body: shape.someMail,
        answer: shape.queueChanged,
        run: ({ by, body }) =>
          command(guard, by, { verb, ...chosen(body), isAll: false, cursor: body.cursor ?? null }, changed),
      }),
    ),
  ];
}

/** What can be undone, or does no harm. */
const REVERSIBLE = [
  {
    verb: "queue_hold",
    path: "/api/v1/queue/hold",
    says: "Puts mail on hold: it is not delivered before it is released.",
  },
  { verb: "queue_release", path: "/api/v1/queue/release", says: "Releases mail that was put on hold by hand." },
  { verb: "queue_flush", path: "/api/v1/queue/flush", says: "Tries deferred mail again now." },
] as const satisfies readonly OfQueue[];
const FINAL = [
  {
    verb: "queue_delete",
    path: "/api/v1/queue/delete",
    says: "Deletes mail for good, 1,000 an hour at most. Nobody is told. Needs a fresh proof.",
  },
  {
    verb: "queue_return",
    path: "/api/v1/queue/return",
    says: "Returns mail to its senders as undeliverable; counts as deleted. Needs a fresh proof.",
  },
] as const satisfies readonly OfQueue[];
type OfQueue = Readonly<{ verb: Extract<WebVerb, `queue_${string}`>; path: string; says: string }>;

type Asked = Readonly<{
  ids?: readonly string[] | undefined;
  account?: string | undefined;
  sender?: string | undefined;
  recipient?: string | undefined;
  state?: "deferred" | "hold" | "active" | undefined;
}>;

function chosen({ ids = [], account, sender, recipient, state }: Asked) {
  return {
    ids: [...ids],
    account: account ?? null,
    sender: sender ?? null,
    recipient: recipient ?? null,
    ...(state !== undefined && { state }),
  };
}

function changed({ kept, ...told }: Results["queue_hold"]) {
  return { ...told, kept: kept.map((one) => ({ ...one })) };
}

function pageOf({ limit = PAGE.usual, cursor }: Readonly<{ limit?: number | undefined; cursor?: string | undefined }>) {
  return { limit, cursor: cursor ?? null };
}
