import { spamScores, waitingMails } from "../../../admin/declare/items.ts";
import { PAGE } from "../../../admin/declare/paging.ts";
import type { Handlers } from "../handlers.ts";
import { type Route, route } from "../route.ts";
import { numberedQuery } from "./schemas.ts";

export function filterRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { lookups, clock } = parts;
  return [
    route(
      "GET /api/v1/greylist/waiting",
      "Mails from strangers that were greylisted within the last 6 hours and not sent again yet.",
      {
        answer: waitingMails(),
        run: () => lookups.ask("waiting", clock.now()),
      },
    ),
    route(
      "GET /api/v1/spam",
      "What the spam filter scored, newest first, a page at a time; with the first page, how much was spam each day.",
      {
        query: numberedQuery,
        answer: spamScores(),
        run: ({ query: { cursor, limit = PAGE.usual } }) =>
          lookups.ask("spam", clock.now(), { cursor: cursor ?? null, limit }),
      },
    ),
  ];
}
