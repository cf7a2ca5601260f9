import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { etag, RETAINED_304_HEADERS } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import { isAdministrator } from "../../core/access/scopes.ts";
import type { Ip } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import { type Caller, identityOf, isCrossOrigin, mayCall } from "./access.ts";
import { type Callers, createCallers } from "./callers.ts";
import { clientOf, createPeers, isOwnName, type Peer, UntrustedProxy } from "./client-address.ts";
import { createHealthReader } from "./health.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import { type ApiParts, JudgesBusy, LookupsBusy, StoreDown } from "./ports.ts";
import { guardDown, notAllowed, problem, unauthorized } from "./problem.ts";
import { acceptsRepeatKey, createRepeats, REPEAT_KEY } from "./repeats.ts";
import { readBody, readQuery } from "./request.ts";
import { type Route, type RouteCall, whyNot } from "./route.ts";
import { createConnectionShares, createRates, createReadShares } from "./shares.ts";
import { createStreams } from "./streams/streams.ts";

type Env = { Bindings: HttpBindings };
type Http = Context<Env>;
export type SharedParts = Readonly<ReturnType<typeof createSharedParts>>;

/** Dependencies that routes share, including everything with state. */
export function createSharedParts(parts: ApiParts, limits: ApiLimits = API_LIMITS) {
  const proxies = new UntrustedProxy();
  const health = createHealthReader(parts, proxies);
  return {
    parts,
    callers: createCallers(parts),
    health,
    streams: createStreams(parts, health),
    withinShare: createReadShares(),
    spend: createRates(),
    once: createRepeats(),
    proxies,
    peerOf: createPeers(parts),
    connections: createConnectionShares(limits, parts.settings),
  };
}

/** Handles every row of the table in the same way: access rule, body bound, schemas, handler, deadline, problem details. */
export function createRouter(table: readonly Route[], shared: SharedParts): Hono<Env> {
  const app = new Hono<Env>();
  app.use(secureHeaders(HEADERS), async (http, next) => {
    await next();
    if (!http.res.headers.has("cache-control")) http.res.headers.set("cache-control", "no-store");
  });
  for (const [path, rows] of Map.groupBy(table, (row) => honoPath(row.path))) {
    for (const row of rows) {
      if (row.method === "GET" && row.endless !== true) app.get(path, tagged);
      app.on(row.method, path, (http) => answer(row, shared, http));
    }
    // One handler for all methods of a path, so that `accounts/import` with a wrong method is not taken for an account name.
    app.all(path, (http) => wrongMethod(rows, http));
  }
  app.notFound(() => problem("not_found", "There is nothing here."));
  app.onError((error) => failed(error, shared));
  return app;
}

function failed(error: unknown, { parts }: SharedParts): Response {
  if (error instanceof StoreDown) return problem("store_down", "The database cannot be read.");
  if (error instanceof LookupsBusy) {
    const next = "Try again in a few seconds, with a narrower search if it happens again.";
    return problem("busy", "The search was not answered.", { next, headers: { "retry-after": "2" } });
  }
  if (error instanceof JudgesBusy) {
    // No password is set without being judged.
    const next = "Try again in a few seconds, or let the server make the password.";
    return problem("busy", "The password could not be judged in time, so nothing was changed.", { next });
  }
  parts.report(error);
  return problem("internal", "The request failed because of an error in the server.");
}

/**
 * Adds an ETag to each answer, and sends 304 without a body to a caller that already has that answer (RFC 9110, 13.1.2). The tag is
 * a hash of the body, so it reveals nothing and needs no memory.
 */
const tagged = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, "ratelimit", "ratelimit-policy"],
  generateDigest: (body) => crypto.subtle.digest("SHA-256", body),
});

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
  strictTransportSecurity: false, // left to the proxy, which knows whether there is https
};

async function answer(row: Route, shared: SharedParts, http: Http): Promise<Response> {
  const { parts, peerOf, connections } = shared;
  const { headers } = http.req.raw;
  const peer = await peerOf(http.env.incoming);
  if (peer === null) return problem("invalid_request", "The client has no address.");
  const forwarded = { for: headers.get("x-forwarded-for"), proto: headers.get("x-forwarded-proto") };
  const isHere = (hop: Ip): boolean => parts.localClients.isHere(hop);
  const { ip, secure } = clientOf(peer, forwarded, parts.settings.trustedProxies, isHere);
  if (!connections.isWithin(http.env.incoming.socket, ip)) return tooMany();
  const client = { ip, secure, peer, forwarded: forwarded.for };
  const answered = await connections.run(ip, () => answerClient(client, row, shared, http));
  return answered === "too_many" ? tooMany() : answered;
}

function tooMany(): Response {
  return problem("busy", "Too many requests from this client are in progress.");
}

type Client = Readonly<{ ip: Ip; secure: boolean; peer: Peer; forwarded: string | null }>;

async function answerClient(client: Client, row: Route, shared: SharedParts, http: Http): Promise<Response> {
  const { ip, secure, peer, forwarded } = client;
  const { parts, callers, spend, proxies } = shared;
  const { headers } = http.req.raw;
  const found = row.who === "anyone" ? null : await callers.of(headers, ip, { secure, isUse: row.isPolled !== true });
  if (found === "down") return guardDown();
  // Not a 401: the credential was not checked and may be valid.
  if (found === "too_many_wrong") {
    const headers = { "retry-after": String(API_LIMITS.wrongCredentialsMs / SECOND_MS) };
    return problem("too_many_wrong", "Too many wrong sessions or tokens came from this network.", { headers });
  }
  if (!mayCall(row.who, found)) return found === null ? unauthorized() : notAllowed("session");
  const identified = { caller: found, ip, secure };
  if (found === null) return answerCaller(identified, row, shared, http);
  if (isAdministrator(found.role)) proxies.observe(peer, ip, forwarded, parts.clock.now());
  const rate = spend(identityOf(found), parts.clock.now());
  const response = rate.isOver
    ? problem("too_many_requests", "This session or token has sent too many requests.", {
        headers: { "retry-after": String(rate.resetSeconds) },
      })
    : await answerCaller(identified, row, shared, http).catch((error: unknown) => failed(error, shared));
  for (const [name, value] of Object.entries(rate.headers)) response.headers.set(name, value);
  return response;
}

type Identified = Readonly<{ caller: Caller | null; ip: Ip; secure: boolean }>;

async function answerCaller(identified: Identified, row: Route, shared: SharedParts, http: Http): Promise<Response> {
  const { caller, ip, secure } = identified;
  const { parts, callers } = shared;
  const { outgoing } = http.env;
  const { headers } = http.req.raw;
  const lacks = caller === null ? null : whyNot(row, caller);
  if (lacks !== null) return notAllowed(lacks);
  if (isOfCookies(row, caller)) {
    if (isCrossOrigin(headers)) return problem("foreign_origin", FOREIGN);
    if (!isOwnName(headers.get("host"), parts.settings.names)) return problem("unknown_host", MISNAMED);
  }

  const query = readQuery(row, http.req.raw.url);
  if (query instanceof Response) return query;
  // Hono answers HEAD as GET and discards the body unread, so nothing would end the stream.
  if (row.endless === true && http.req.raw.method === "HEAD")
    return new Response(null, { headers: row.type === undefined ? {} : { "content-type": row.type } });

  const body = await readBody(row, http.req.raw);
  if (body instanceof Response) return body;
  const call = {
    params: http.req.param(),
    query: query.value,
    body: body.value,
    ip,
    secure,
    caller,
    asker: caller === null ? ("web" as const) : { as: caller.secret, ip },
    isDry: query.isDry,
    headers,
    stillAllowed: row.endless === true && caller !== null ? watchCaller(callers, caller, ip, outgoing) : () => true,
    drop: () => void outgoing.destroy(),
  };
  const run = async (): Promise<Response> => {
    const answered = await row.run(call);
    return answered instanceof Response ? answered : http.json(answered, row.status === 201 && !call.isDry ? 201 : 200);
  };
  return withDeadline(row, runLimited(row, shared, { ...call, url: http.req.raw.url, run }));
}

type Started = Pick<RouteCall<unknown, unknown, unknown>, "caller" | "headers" | "body" | "isDry"> &
  Readonly<{ url: string; run: () => Promise<Response> }>;

/** Runs a read within the caller's share of reads. Repeats the first answer to a change that is sent again with the same key. */
function runLimited(row: Route, { parts, withinShare, once }: SharedParts, started: Started): Promise<Response> {
  const { caller, headers, body, isDry, url, run } = started;
  if (caller === null) return run();
  if (row.method === "GET") return row.endless === true ? run() : withinShare(caller, run);
  const key = headers.get(REPEAT_KEY);
  if (key === null || isDry || !acceptsRepeatKey(row)) return run();
  return once(digestOf(caller.secret), { row, key, url, body, now: parts.clock.now() }, run);
}

/** Ends a stream within seconds after its caller's session or token ends, even while the stream is quiet. */
function watchCaller(callers: Callers, caller: Caller, ip: Ip, outgoing: HttpBindings["outgoing"]): () => boolean {
  // The client left while the guard was asked, so `close` has already fired.
  if (outgoing.destroyed) return () => false;
  let isAllowed = true;
  const look = async (): Promise<void> => {
    isAllowed = await callers.stillHolds(caller, ip);
    if (!isAllowed) outgoing.destroy();
  };
  const timer = setInterval(() => void look(), API_LIMITS.callerAgeMs);
  outgoing.once("close", () => clearInterval(timer));
  void look(); // the answer about the caller may be seconds old
  return () => isAllowed;
}

/** Whether this may be a browser acting for its user: with a cookie, or at the sign-in that sets one. */
function isOfCookies(row: Route, caller: Caller | null): boolean {
  return caller?.how === "session" || (row.who === "anyone" && row.method !== "GET");
}

const FOREIGN =
  "The request came from another site's page, or the proxy did not pass on the name that the browser asked for.";
const MISNAMED = "This server does not answer under this host name.";

async function withDeadline(row: Route, answered: Promise<Response>): Promise<Response> {
  if (row.endless === true) return answered;
  const { promise, resolve } = Promise.withResolvers<Response>();
  const timer = setTimeout(() => resolve(problem("timeout", "The request took too long.")), API_LIMITS.answerMs);
  return Promise.race([answered, promise]).finally(() => clearTimeout(timer));
}

function wrongMethod(rows: readonly Route[], http: Http): Response {
  const methods = new Set<string>(rows.map(({ method }) => method));
  if (methods.has("GET")) methods.add("HEAD");
  const allow = [...methods, "OPTIONS"].join(", ");
  // Without a CORS header the browser hides the answer from pages of other origins.
  if (http.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  return problem("method_not_allowed", `This route accepts only ${allow}.`, { headers: { allow } });
}

/** `/why/{ip}` in the router's syntax. A network or Message-ID at the end of a path may have unescaped slashes. */
function honoPath(path: string): string {
  return path.replace(/\{(network|ip|message)\}$/, ":$1{.+}").replaceAll(/\{(\w+)\}/g, ":$1");
}
