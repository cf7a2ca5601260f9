import { PAGE } from "../../wire/control/paging.ts";
import { auditPage, auditQuery, auditVerified } from "./audit-schemas.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { type Route, route } from "./route.ts";

/** What administrators did (docs/audit.md), for owners to read. The web can change nothing of it. */
export function auditRoutes({ parts: { guard } }: Pick<Handlers, "parts">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/audit",
      needs: "admin",
      asks: "audit_list",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What administrators did, the newest first, a page at a time.",
      query: auditQuery,
      answer: auditPage,
      run: ({ by, query: { limit = PAGE.usual, cursor } }) => {
        const asked = { limit, cursor: cursor === undefined ? null : String(cursor) };
        return command(guard, by, { verb: "audit_list", ...asked }, ({ entries, next }) => ({
          items: [...entries],
          next,
        }));
      },
    }),
    route({
      method: "GET",
      path: "/api/v1/audit/verify",
      needs: "admin",
      asks: "audit_verify",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What root's last check of the audit found: whether the chain is whole, and fits root's anchors.",
      answer: auditVerified,
      run: ({ by }) => command(guard, by, { verb: "audit_verify" }, ({ audit }) => ({ audit })),
    }),
  ];
}
