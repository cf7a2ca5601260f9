import { PAGE } from "../../wire/control/paging.ts";
import * as shape from "./account-schemas.ts";
import { command } from "./commands.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";
import { type Route, route } from "./route.ts";

/** Aliases: addresses that pass their mail on. */
export function aliasRoutes({ guard }: Pick<ApiParts, "guard">): readonly Route[] {
  const common = { who: "session_or_token", needs: "admin" } as const;
  const block = (path: string, says: string, blocked: boolean): Route =>
    route({
      ...common,
      method: "POST",
      path,
      asks: "alias_block",
      bodyBytes: 0,
      says,
      params: shape.aliasInPath,
      answer: shape.aliasNamed,
      run: ({ by, params }) => command(guard, by, { verb: "alias_block", ...params, blocked }, (result) => result),
    });
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/v1/aliases",
      asks: "alias_list",
      bodyBytes: 0,
      says: "The aliases by address, a page at a time; all, or those with a text in the address or a target.",
      query: shape.listQuery,
      answer: shape.aliasPage,
      run: ({ by, query: { limit = PAGE.usual, cursor = null, text = null } }) =>
        command(guard, by, { verb: "alias_list", limit, cursor, text }, ({ aliases, ...page }) => ({
          ...page,
          items: aliases.map((item) => ({ ...item, targets: [...item.targets] })),
        })),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/v1/aliases",
      asks: "alias_add",
      bodyBytes: API_LIMITS.accountsBodyBytes,
      status: 201,
      says: "Adds an alias, or further targets to one that is there.",
      body: shape.newAlias,
      answer: shape.aliasNamed,
      run: ({ by, body }) => command(guard, by, { verb: "alias_add", ...body }, (result) => result),
    }),
    block("/api/v1/aliases/{address}/block", "Lets an alias refuse its mail; it keeps its targets.", true),
    block("/api/v1/aliases/{address}/unblock", "Lets an alias take mail again.", false),
    route({
      ...common,
      method: "DELETE",
      path: "/api/v1/aliases/{address}",
      asks: "alias_remove",
      bodyBytes: 0,
      says: "Removes an alias with all its targets.",
      params: shape.aliasInPath,
      answer: shape.aliasNamed,
      run: ({ by, params }) => command(guard, by, { verb: "alias_remove", ...params }, (result) => result),
    }),
  ];
}
