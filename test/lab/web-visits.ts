import { ANNA } from "./mail.ts";
import { ADMIN_PASSWORD } from "./product.ts";

export const GUEST = "198.51.100.71";
const STRANGER = "198.51.100.72";
const OFFICE = "198.51.100.73";
const OWNER = { password: ADMIN_PASSWORD };
const SPAN = "from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z";
const KEY = { "idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };

export type Visit = Readonly<{
  /** The route's own path if absent. */
  path?: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  answers: number;
  /** The code of a problem. */
  code?: string;
}>;

/** Requests to every route of the server, in this order. */
export const visits = (queueId: string): Readonly<Record<string, readonly Visit[]>> => ({
  "GET /api/security": [
    { path: "/api/security?action=stats", answers: 200 },
    { path: "/api/security?action=cleanup", answers: 200 },
  ],
  "POST /api/security": [
    { body: { action: "ban", ip: STRANGER, reason: "it scanned us", for: "2h" }, answers: 200 },
    { body: { action: "unban", ip: STRANGER }, answers: 200 },
    { body: { action: "unban", ip: STRANGER }, answers: 409, code: "refused" },
    { body: { action: "ban", ip: "127.0.0.1" }, answers: 409, code: "refused" },
  ],
  "POST /api/v1/login": [
    { body: OWNER, answers: 200 },
    { body: { password: "guess" }, answers: 401, code: "login_refused" },
    { body: OWNER, headers: { origin: "https://evil.test" }, answers: 403, code: "foreign_origin" },
    { body: OWNER, headers: { host: "evil.test" }, answers: 403, code: "unknown_host" },
  ],
  "GET /api/v1/session": [{ answers: 200 }],
  "POST /api/v1/session/proof": [
    { body: OWNER, answers: 200 },
    { body: { password: "guess" }, answers: 401, code: "login_refused" },
  ],
  "GET /api/v1/sessions": [{ answers: 200 }],
  "DELETE /api/v1/sessions/{id}": [{ path: "/api/v1/sessions/0a1b2c3d4e5f", answers: 403, code: "proof_needed" }],
  "DELETE /api/v1/sessions": [{ answers: 403, code: "proof_needed" }],
  "GET /api/v1/tokens": [{ answers: 200 }],
  "POST /api/v1/tokens": [
    { body: { name: "more", scopes: ["read"], expires: "90d" }, answers: 403, code: "proof_needed" },
    { body: { name: "more", scopes: ["root"] }, answers: 400, code: "invalid_request" },
  ],
  "DELETE /api/v1/tokens/{name}": [{ path: "/api/v1/tokens/routes", answers: 403, code: "proof_needed" }],
  "GET /api/v1/status": [{ answers: 200 }],
  "GET /api/v1/stats": [{ answers: 200 }],
  "GET /api/v1/figures": [{ path: "/api/v1/figures?step=300", answers: 200 }],
  "GET /api/v1/top": [{ path: "/api/v1/top?by=refusals", answers: 200 }],
  // A stream has no end.
  "GET /api/v1/stream": [{ path: "/api/v1/stream?since=x", answers: 400, code: "invalid_request" }],
  "POST /api/v1/bans": [
    { path: "/api/v1/bans?dry_run=true", body: { ip: STRANGER }, answers: 200 },
    { path: "/api/v1/bans?dry_run=true", body: { ip: "203.0.113.0/24" }, answers: 409, code: "refused" },
    { body: { ip: STRANGER, reason: "it came again", for: "permanent" }, headers: KEY, answers: 201 },
    { body: { ip: STRANGER, reason: "it came again", for: "permanent" }, headers: KEY, answers: 201 },
    { body: { ip: STRANGER }, headers: KEY, answers: 422, code: "key_reused" },
    { body: { ip: "203.0.113.0/24" }, answers: 409, code: "refused" },
  ],
  "GET /api/v1/bans": [{ answers: 200 }, { path: "/api/v1/bans?text=198.51.100.&limit=2", answers: 200 }],
  "DELETE /api/v1/bans/{network}": [
    { path: `/api/v1/bans/${STRANGER}/32?dry_run=true`, answers: 200 },
    { path: `/api/v1/bans/${STRANGER}/32`, answers: 200 },
    { path: `/api/v1/bans/${STRANGER}`, answers: 409, code: "refused" },
  ],
  "POST /api/v1/allow": [
    { path: "/api/v1/allow?dry_run=true", body: { network: OFFICE }, answers: 200 },
    { body: { network: OFFICE, note: "the office", for: "2h" }, answers: 201 },
  ],
  "GET /api/v1/allow": [{ answers: 200 }],
  "DELETE /api/v1/allow/{network}": [
    { path: `/api/v1/allow/${OFFICE}?dry_run=true`, answers: 200 },
    { path: `/api/v1/allow/${OFFICE}`, answers: 200 },
    { path: `/api/v1/allow/${OFFICE}`, answers: 409, code: "refused" },
  ],
  "GET /api/v1/why/account/{account}": [
    { path: `/api/v1/why/account/${ANNA}`, answers: 200 },
    { path: "/api/v1/why/account/nobody%40example.test", answers: 200 },
  ],
  "GET /api/v1/why/message/{message}": [{ path: `/api/v1/why/message/${queueId}`, answers: 200 }],
  "GET /api/v1/why/{ip}": [
    { path: `/api/v1/why/${GUEST}`, answers: 200 },
    { path: `/api/v1/why/${STRANGER}`, answers: 200 },
    { path: "/api/v1/why/2001:db8:b000::7", answers: 200 },
  ],
  "GET /api/v1/events": [
    { answers: 200 },
    { path: `/api/v1/events?ip=${GUEST}&type=LOGIN_FAILED&limit=1&cursor=99999`, answers: 200 },
    { path: `/api/v1/events?account=${ANNA}&type=EMAIL_DELIVERED`, answers: 200 },
    { path: `/api/v1/events?type=BAN&type=EMAIL&text=%C3%A4&${SPAN}`, answers: 200 },
  ],
  "GET /api/v1/events/stream": [{ path: "/api/v1/events/stream?after=x", answers: 400, code: "invalid_request" }],
  "GET /healthz": [{ answers: 200 }],
  "GET /healthz/live": [{ answers: 200 }],
  "GET /healthz/ready": [{ answers: 200 }],
  "GET /metrics": [{ answers: 200 }],
  "GET /openapi.json": [{ answers: 200 }],
  "GET /": [{ answers: 200 }],
  // Only the page knows the names of existing files: Chromium requests them.
  "GET /programs/{name}": [{ path: "/programs/app-OTHER.js", answers: 404, code: "not_found" }],
  "GET /style.css": [{ answers: 200 }],
  "GET /icon.svg": [{ answers: 200 }],
  // Last: it ends the session that browser-only routes need.
  "POST /api/v1/logout": [{ answers: 204 }],
});
