import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { parseIp } from "../../core/net/ip.ts";
import { actorOf, type Caller, callerOf, isCrossOrigin, mayCall, stillHolds } from "./access.ts";
import { readBody } from "./body.ts";
import { originOf } from "./client-address.ts";
import type { Handlers } from "./handlers.ts";
import { API_LIMITS } from "./limits.ts";
import { isOwnName } from "./own-names.ts";
import { StoreDown } from "./ports.ts";
import { problem, storeDown, unauthorized } from "./problem.ts";
import type { Route } from "./route.ts";

type Env = { Bindings: HttpBindings };
type Http = Context<Env>;

/**
 * Handles every row of the table in the same way: access rule, body bound, schemas, handler, deadline, problem details.
 */
export function createRouter(table: readonly Route[], handlers: Handlers): Hono<Env> {
  const app = new Hono<Env>();
  app.use(secureHeaders(HEADERS), (http, next) => next().then(() => noStore(http)));
  for (const row of table) app.on(row.method, honoPath(row.path), (http) => answer(row, handlers, http));
  app.notFound((http) => notFound(table, http));
  app.onError((error) => {
    if (error instanceof StoreDown) return storeDown();
    handlers.parts.report(error);
    return problem({ status: 500, code: "internal", detail: "The request failed for a reason of ours." });
  });
  return app;
}

/** No inline script or style, nothing from other hosts, no frames. */
const HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
  strictTransportSecurity: false, // for the proxy to say, which knows whether there is https
};

async function answer(row: Route, handlers: Handlers, http: Http): Promise<Response> {
  const { parts, sessions } = handlers;
  const { incoming, outgoing } = http.env;
  const { headers } = http.req.raw;
  const peer = parseIp(incoming.socket.remoteAddress ?? "");
  if (peer === null) return problem({ status: 400, code: "invalid_request", detail: "The client has no address." });
  const forwarded = [headers.get("x-forwarded-for"), headers.get("x-forwarded-proto")] as const;
  const { ip, secure } = originOf(peer, ...forwarded, parts.settings.trustedProxies);

  const held = () => ({ sessions, credentials: parts.credentials, now: parts.clock.now() });
  const caller = row.who === "anyone" ? null : callerOf(headers, held());
  if (!mayCall(row.who, caller)) return unauthorized();
  if (isOfCookies(row, caller)) {
    if (isCrossOrigin(headers)) return foreign();
    if (!isOwnName(headers.get("host"), parts.settings.names)) return misnamed();
  }

  const told = caller === null ? undefined : handlers.administrators.seen(ip);
  // An administrator who changes something may be about to ban their own address.
  if (row.method !== "GET") await told;
  const body = await readBody(row, http.req.raw);
  if (body instanceof Response) return body;
  const call = {
    params: http.req.param(),
    query: http.req.query(),
    body: body.value,
    ip,
    secure,
    caller,
    by: caller === null ? "web" : actorOf(caller, ip),
    headers,
    stillAllowed: () => caller !== null && stillHolds(caller, headers, held()),
    drop: () => void outgoing.destroy(),
  };
  const answered = await withDeadline(row, row.run(call));
  return answered instanceof Response ? answered : http.json(answered, row.status === 201 ? 201 : 200);
}

/** Where a browser acts by itself: with its cookie, or at the sign-in that would give it one. */
function isOfCookies(row: Route, caller: Caller | null): boolean {
  return caller?.how === "session" || (row.who === "anyone" && row.method !== "GET");
}

function foreign(): Response {
  return problem({ status: 403, code: "foreign_origin", detail: "The request came from another site's page." });
}

function misnamed(): Response {
  const detail = "This server does not go by the name that the browser was given.";
  return problem({ status: 403, code: "unknown_host", detail, next: "If it should, add it to http.names." });
}

async function withDeadline(row: Route, answered: Promise<unknown>): Promise<unknown> {
  if (row.endless === true) return answered;
  const { promise, resolve } = Promise.withResolvers<Response>();
  const timer = setTimeout(
    () => resolve(problem({ status: 503, code: "timeout", detail: "It took too long." })),
    API_LIMITS.answerMs,
  );
  return Promise.race([answered, promise]).finally(() => clearTimeout(timer));
}

function noStore(http: Http): void {
  if (!http.res.headers.has("cache-control")) http.res.headers.set("cache-control", "no-store");
}

function notFound(table: readonly Route[], http: Http): Response {
  const methods = new Set(table.filter(({ path }) => isPathOf(path, http.req.path)).map(({ method }) => method));
  if (methods.size === 0) return problem({ status: 404, code: "not_found", detail: "There is nothing here." });
  const allow = [...methods].join(", ");
  const detail = `It answers to ${allow} only.`;
  return problem({ status: 405, code: "method_not_allowed", detail, headers: { allow } });
}

function isPathOf(path: string, asked: string): boolean {
  const pattern = path.split(/\{\w+\}/).map((part) => RegExp.escape(part));
  return new RegExp(`^${pattern.join(".+")}$`).test(asked);
}

/** `/why/{ip}` in the router's syntax: a parameter takes the rest of the path, so a network needs no escaping. */
function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ":$1{.+}");
}
