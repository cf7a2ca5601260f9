import { identityOf } from "./access.ts";
import { command, derivedRoutes } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { METRICS_TYPE, metrics, publicHealth } from "./health.ts";
import { API_LIMITS } from "./limits.ts";
import { openApi } from "./openapi/openapi.ts";
import { pageRoutes } from "./page.ts";
import {
  readBans,
  readEvents,
  readFigures,
  readStats,
  readTop,
  readWhy,
  readWhyAccount,
  readWhyMessage,
} from "./reading.ts";
import { type Route, route } from "./route.ts";
import { accessRoutes } from "./routes/access-routes.ts";
import { accountRoutes } from "./routes/account-routes.ts";
import { filterRoutes } from "./routes/filter-routes.ts";
import { meChanges, meRoutes } from "./routes/me-routes.ts";
import * as shape from "./routes/schemas.ts";
import { settingsRoutes } from "./routes/settings-routes.ts";
import { resumeFrom, STREAM_TYPE } from "./streams/streams.ts";

/** Every route: the router, the access rule and `/openapi.json` read this one table, parts of which are in other files. */
export function routes({ parts, callers, health, streams }: Handlers): readonly Route[] {
  const { guard } = parts;
  const { ipv6Prefix } = parts.settings;
  const { bodyBytes } = API_LIMITS;

  let described: string | null = null;
  const description = (): string => (described ??= JSON.stringify(openApi(table, parts.version)));

  const table: readonly Route[] = [
    // Routes that existing users, scripts and dashboards rely on.
    route({
      method: "GET",
      path: "/api/security",
      anyQuery: true,
      who: "session_or_token",
      bodyBytes: 0,
      says: "Bans, recent events, busiest addresses and health; or, with `action=cleanup`, removes expired bans.",
      query: shape.securityQuery,
      answer: shape.stats.or(shape.cleaned),
      run: async ({ query, by }) => {
        if (query.action === "stats") return new Response(await readStats(parts, health), { headers: JSON_TYPE });
        return command(guard, by, { verb: "cleanup" }, ({ expired }) => ({
          success: true as const,
          action: "cleanup" as const,
          expired,
        }));
      },
    }),
    route({
      method: "POST",
      path: "/api/security",
      anyQuery: true,
      asks: "ban",
      who: "session_or_token",
      bodyBytes,
      says: "Bans or unbans an address or a network.",
      body: shape.securityCommand,
      answer: shape.securityResult,
      run: async ({ body, by }) => {
        if (body.action === "unban")
          return command(guard, by, { verb: "unban", target: body.ip }, ({ prefix }) => ({
            success: true as const,
            action: "unban" as const,
            prefix,
          }));
        return command(guard, by, { verb: "ban", target: body.ip, note: body.reason, for: body.for }, ({ ban }) => ({
          success: true as const,
          action: "ban" as const,
          ban,
        }));
      },
    }),

    ...accessRoutes({ parts, callers }),
    ...settingsRoutes({ parts }),
    ...filterRoutes({ parts }),
    ...accountRoutes(parts),
    ...meRoutes({ parts }),
    ...meChanges({ parts }),

    route({
      method: "GET",
      path: "/api/v1/status",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Health of every component, and current notices.",
      answer: shape.healthReport,
      run: () => health.read(),
    }),
    route({
      method: "GET",
      path: "/api/v1/stats",
      who: "session_or_token",
      bodyBytes: 0,
      says: "The same as `/api/security?action=stats`.",
      answer: shape.stats,
      run: async () => new Response(await readStats(parts, health), { headers: JSON_TYPE }),
    }),
    route({
      method: "GET",
      path: "/api/v1/figures",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Numbers of mails, refusals, sign-ins and bans over time, for charts.",
      query: shape.figuresQuery,
      answer: shape.figures,
      run: ({ query }) => readFigures(parts, query),
    }),
    route({
      method: "GET",
      path: "/api/v1/top",
      who: "session_or_token",
      bodyBytes: 0,
      says: "The busiest addresses, by mails, refusals or failed sign-ins.",
      query: shape.topQuery,
      answer: shape.top,
      run: ({ query }) => readTop(parts, query),
    }),
    route({
      method: "GET",
      path: "/api/v1/bans",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Bans in force, newest first, a page at a time; all, or those with a text.",
      query: shape.bansQuery,
      answer: shape.banPage,
      run: ({ query }) => readBans(parts, query),
    }),
    route({
      method: "GET",
      path: "/api/v1/why/account/{account}",
      who: "session_or_token",
      bodyBytes: 0,
      says: "An account explained: its state now, sign-ins, mail, changes, and what would lift or prevent a decision.",
      params: shape.accountInPath,
      answer: shape.accountAnswer,
      run: ({ params, by }) => readWhyAccount(parts, by, params.account),
    }),
    route({
      method: "GET",
      path: "/api/v1/why/message/{message}",
      who: "session_or_token",
      bodyBytes: 0,
      says: "One mail, followed by its queue id or its Message-ID.",
      params: shape.messageInPath,
      answer: shape.messageReport,
      run: ({ params }) => readWhyMessage(parts, params.message),
    }),
    route({
      method: "GET",
      path: "/api/v1/why/{ip}",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Everything about an address: ban, past bans, offences, what protects it, allow list, decisions.",
      params: shape.ipInPath(ipv6Prefix),
      answer: shape.addressAnswer,
      run: ({ params, by }) => readWhy(parts, by, params.ip),
    }),
    route({
      method: "GET",
      path: "/api/v1/events",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Events, newest first, in pages.",
      query: shape.eventsQuery(ipv6Prefix),
      answer: shape.eventPage,
      run: async ({ query }) => new Response(await readEvents(parts, query), { headers: JSON_TYPE }),
    }),
    route({
      method: "GET",
      path: "/api/v1/events/stream",
      who: "session_or_token",
      bodyBytes: 0,
      type: STREAM_TYPE,
      endless: true,
      says: "Events as they are stored (server-sent events); resumes after Last-Event-ID.",
      query: shape.streamQuery(ipv6Prefix),
      run: ({ query, headers, caller, stillAllowed, drop }) =>
        streams.start(identityOf(caller), {
          after: resumeFrom(headers, query.after),
          prefix: query.ip,
          type: query.type,
          stillAllowed,
          drop,
        }),
    }),
    route({
      method: "GET",
      path: "/api/v1/stream",
      who: "session_or_token",
      bodyBytes: 0,
      type: STREAM_TYPE,
      endless: true,
      says: "All that a page shows as it changes (server-sent events): events, bans, health, figures, and a beat.",
      query: shape.pageQuery,
      run: ({ query, headers, caller, stillAllowed, drop }) =>
        streams.startPage(identityOf(caller), { after: resumeFrom(headers, query.since), stillAllowed, drop }),
    }),

    ...derivedRoutes(parts),

    route({
      method: "GET",
      path: "/healthz",
      anyQuery: true,
      who: "anyone",
      bodyBytes: 0,
      says: "Names and states of the components; 503 if an essential one is down.",
      answer: shape.publicHealth,
      also: { 503: DOWN },
      run: async () => healthAnswer(publicHealth(await health.read())),
    }),
    route({
      method: "GET",
      path: "/healthz/live",
      anyQuery: true,
      who: "anyone",
      bodyBytes: 0,
      says: "The web program runs.",
      answer: shape.alive,
      run: () => ({ status: "ok" as const }),
    }),
    route({
      method: "GET",
      path: "/healthz/ready",
      anyQuery: true,
      who: "anyone",
      bodyBytes: 0,
      says: "200 if the guard and the database can be reached, otherwise 503.",
      answer: shape.publicHealth,
      also: { 503: DOWN },
      run: async () => healthAnswer(await health.readiness()),
    }),
    route({
      method: "GET",
      path: "/metrics",
      who: "session_or_token",
      bodyBytes: 0,
      type: METRICS_TYPE,
      says: "Metrics for Prometheus.",
      run: async () => new Response(await metrics(parts, health), { headers: { "content-type": METRICS_TYPE } }),
    }),
    route({
      method: "GET",
      path: "/openapi.json",
      who: "session_or_token",
      bodyBytes: 0,
      says: "This description.",
      run: () => new Response(description(), { headers: JSON_TYPE }),
    }),
    ...pageRoutes(parts.page),
  ];
  return table;
}

const JSON_TYPE = { "content-type": "application/json" } as const;
const DOWN = { says: "Something essential is down.", answer: shape.publicHealth };

function healthAnswer(health: ReturnType<typeof publicHealth>): Response {
  return Response.json(health, { status: health.status === "down" ? 503 : 200 });
}
