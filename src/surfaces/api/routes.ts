import { lazily } from "../../admin/declare/fields.ts";
import * as items from "../../admin/declare/items.ts";
import { PAGE } from "../../admin/declare/paging.ts";
import { derivedRoutes } from "./derived.ts";
import { METRICS_TYPE, metrics, publicHealth } from "./health.ts";
import { openApi } from "./openapi/openapi.ts";
import { pageRoutes } from "./page.ts";
import { readBans, readEvents, readFigures, readStats, readTop, readWhy, readWhyAccount } from "./reading.ts";
import { type Route, route, sendToGuard } from "./route.ts";
import type { SharedParts } from "./router.ts";
import { accessRoutes } from "./routes/access-routes.ts";
import { accountRoutes } from "./routes/account-routes.ts";
import { meRoutes } from "./routes/me-routes.ts";
import * as shape from "./routes/schemas.ts";
import { settingsRoutes } from "./routes/settings-routes.ts";
import { resumeFrom, STREAM_TYPE } from "./streams/streams.ts";

/** Every route: the router, the access rule and `/openapi.json` read this one table, parts of which are in other files. */
export function routes({ parts, callers, health, streams }: SharedParts): readonly Route[] {
  const { guard, lookups, clock } = parts;
  const { ipv6Prefix } = parts.settings;

  const description = lazily(() => JSON.stringify(openApi(table)));
  const table: readonly Route[] = [
    // Routes that existing users, scripts and dashboards rely on.
    route("GET /api/security", {
      says: "Bans, recent events, busiest addresses and health; or, with `action=cleanup`, removes expired bans (scopes `read` and `ban`).",
      anyQuery: true,
      query: shape.securityQuery,
      answer: shape.statsOrCleaned,
      run: async (call) => {
        if (call.query.action === "stats") return new Response(await readStats(parts, health), { headers: JSON_TYPE });
        return sendToGuard(guard, call, { verb: "cleanup" }, ({ expired }) => ({ ...succeeded("cleanup"), expired }));
      },
    }),
    route("POST /api/security", {
      says: "Bans or unbans an address or a network.",
      anyQuery: true,
      asks: "ban",
      body: shape.securityCommand,
      answer: shape.securityResult,
      run: async (call) => {
        const { body } = call;
        if (body.action === "unban") {
          const asked = { verb: "unban", target: body.ip } as const;
          return sendToGuard(guard, call, asked, ({ prefix }) => ({ ...succeeded("unban"), prefix }));
        }
        const asked = { verb: "ban", target: body.ip, note: body.reason, for: body.for } as const;
        return sendToGuard(guard, call, asked, ({ ban }) => ({ ...succeeded("ban"), ban }));
      },
    }),

    ...accessRoutes({ parts, callers }),
    ...settingsRoutes(parts),
    ...accountRoutes(parts),
    ...meRoutes(parts),

    route("GET /api/v1/status", {
      says: "Health of every component, and current notices.",
      answer: items.health(),
      run: () => health.read(),
    }),
    route("GET /api/v1/stats", {
      says: "The same as `/api/security?action=stats`.",
      answer: items.stats(),
      run: async () => new Response(await readStats(parts, health), { headers: JSON_TYPE }),
    }),
    route("GET /api/v1/figures", {
      isPolled: true,
      says: "Numbers of mails, refusals, sign-ins and bans over time, for charts.",
      query: shape.figuresQuery,
      answer: shape.figures,
      run: ({ query }) => readFigures(parts, query),
    }),
    route("GET /api/v1/top", {
      isPolled: true,
      says: "The busiest addresses, by mails, refusals or failed sign-ins.",
      query: shape.topQuery,
      answer: shape.top,
      run: ({ query }) => readTop(parts, query),
    }),
    route("GET /api/v1/bans", {
      says: "Bans in force, newest first, a page at a time: all, or those that contain a text.",
      query: shape.bansQuery,
      answer: shape.banPage,
      run: ({ query }) => readBans(parts, query),
    }),
    route("GET /api/v1/why/account/{account}", {
      says: "An account explained: its state now, sign-ins, mail, changes, and what would lift or prevent a decision.",
      params: shape.accountInPath,
      answer: items.accountAnswer(),
      run: ({ params, asker }) => readWhyAccount(parts, asker, params.account),
    }),
    route("GET /api/v1/why/message/{message}", {
      says: "One mail, followed by its queue id or its Message-ID.",
      params: shape.messageInPath,
      answer: items.messageReport(),
      run: ({ params }) => lookups.ask("message", params.message),
    }),
    route("GET /api/v1/why/{ip}", {
      says: "Everything about an address: ban, past bans, offences, what protects it, allow list, decisions.",
      params: shape.ipInPath,
      answer: items.addressAnswer(),
      run: ({ params, asker }) => readWhy(parts, asker, params.ip),
    }),
    route("GET /api/v1/greylist/waiting", {
      says: "Mails from strangers that were greylisted within the last 6 hours and have not been accepted since.",
      answer: items.waitingMails(),
      run: () => lookups.ask("waiting", clock.now()),
    }),
    route("GET /api/v1/spam", {
      says: "What the spam filter scored, newest first, a page at a time; with the first page, how much was spam each day.",
      query: shape.numberedQuery,
      answer: items.spamScores(),
      run: ({ query: { cursor = null, limit = PAGE.usual } }) => lookups.ask("spam", clock.now(), { cursor, limit }),
    }),
    route("GET /api/v1/events", {
      says: "Events, newest first, in pages.",
      query: shape.eventsQuery(ipv6Prefix),
      answer: shape.eventPage,
      run: async ({ query }) => new Response(await readEvents(parts, query), { headers: JSON_TYPE }),
    }),
    route("GET /api/v1/events/stream", {
      says: "Events as they are stored (server-sent events); resumes after Last-Event-ID.",
      type: STREAM_TYPE,
      endless: true,
      query: shape.streamQuery(ipv6Prefix),
      run: (call) => {
        const { after, ip: prefix, type } = call.query;
        return streams.events(call, { after: resumeFrom(call.headers, after), prefix, type });
      },
    }),
    route("GET /api/v1/stream", {
      says: "Everything that a page updates live (server-sent events): events, bans, health, figures, and a heartbeat.",
      type: STREAM_TYPE,
      endless: true,
      query: shape.pageQuery,
      run: (call) => streams.page(call, resumeFrom(call.headers, call.query.since)),
    }),

    ...derivedRoutes(parts),

    route("GET /healthz", {
      says: "Names and states of the components; 503 if an essential one is down.",
      anyQuery: true,
      who: "anyone",
      answer: shape.publicHealth,
      down: shape.publicHealth,
      run: async () => healthAnswer(publicHealth(await health.read())),
    }),
    route("GET /healthz/live", {
      says: "Answers 200 as long as the web program runs.",
      anyQuery: true,
      who: "anyone",
      answer: shape.alive,
      run: () => ({ status: "ok" as const }),
    }),
    route("GET /healthz/ready", {
      says: "200 if the guard and the database can be reached, otherwise 503.",
      anyQuery: true,
      who: "anyone",
      answer: shape.publicHealth,
      down: shape.publicHealth,
      run: async () => healthAnswer(await health.readiness()),
    }),
    route("GET /metrics", {
      says: "Metrics for Prometheus.",
      type: METRICS_TYPE,
      run: async () => new Response(await metrics(parts, health), { headers: { "content-type": METRICS_TYPE } }),
    }),
    route("GET /openapi.json", {
      says: "This description.",
      run: () => new Response(description(), { headers: JSON_TYPE }),
    }),
    ...pageRoutes(parts.page),
  ];
  return table;
}

const JSON_TYPE = { "content-type": "application/json" } as const;

/** The common start of the answers of `/api/security`. */
function succeeded<A extends string>(action: A) {
  return { success: true, action } as const;
}

function healthAnswer(health: ReturnType<typeof publicHealth>): Response {
  return Response.json(health, { status: health.status === "down" ? 503 : 200 });
}
