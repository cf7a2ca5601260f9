import { STATUS_CODES } from "node:http";
import type { Denial } from "../../admin/declare/control.ts";
import type { Scope } from "../../core/access/scopes.ts";

const DESCRIBED = "`/openapi.json` says what this route takes.";
const LATER = "Try again in a few seconds.";

/** The status of each code, and what to do next. A code is never renamed or reused: scripts depend on them. */
const CODES = {
  unauthorized: [401, "Sign in, or send `Authorization: Bearer TOKEN`."],
  login_refused: [401, "Check the password and the code, or try again later."],
  code_needed: [401, "Send `code`: a code of the authenticator app, or a recovery code."],
  too_many_wrong: [429, "Try again in 10 seconds."],
  not_allowed: [403, "Use a session or a token with the scope, or the command line on the server."],
  proof_needed: [403, "Enter the password again at `/api/v1/session/proof`, then repeat the request."],
  foreign_origin: [
    403,
    "Use the dashboard's own page. If it is behind a proxy of yours, the proxy must pass on `Host`, as in nginx `proxy_set_header Host $host;`, or `$http_host` if the URL has a port (docs/reverse-proxy.md).",
  ],
  unknown_host: [403, "If the name is yours, add it to http.names."],
  invalid_request: [400, DESCRIBED],
  not_json: [400, DESCRIBED],
  body_too_large: [413, DESCRIBED],
  not_found: [404, "`/openapi.json` lists every route."],
  method_not_allowed: [405, "Use one of the methods of the header `Allow`."],
  refused: [409, "`detail` says why; change that first."],
  key_reused: [422, "Send each new request with a new key."],
  key_in_use: [409, LATER],
  key_done: [409, "Check the current state, such as the list of tokens; send a new request with a new key."],
  key_uncertain: [409, "Check the current state; if it was not done, send it with another key."],
  too_many_keys: [429, "Send it without the key, or with another session or token."],
  too_many_requests: [429, "Wait for as long as `Retry-After` says."],
  guard_down: [503, "It is restarted automatically; try again in a few seconds."],
  store_down: [503, "Try again in a few seconds; `./ghostinbox status` shows more."],
  too_many_streams: [503, "Close one, such as a page of the dashboard."],
  busy: [503, LATER],
  timeout: [503, "Check the current state before you repeat a change: it may already have been made."],
  internal: [500, "The log of the web program on the server says more."],
} as const;
export const PROBLEM_CODES: readonly string[] = Object.keys(CODES);

/** `next`: instead of that of the code; ignored if empty. `status`: instead of that of the code. */
type More = Readonly<{ next?: string; headers?: Readonly<Record<string, string>>; status?: 401 | 429 }>;

const RETRY_SECONDS = "5";

/** RFC 9457 problem details. 429 and 503 also say when to retry (RFC 9110, 10.2.3). */
export function problem(code: keyof typeof CODES, detail: string, more: More = {}): Response {
  const [usual, usualNext] = CODES[code];
  const { status = usual, next = "", headers } = more;
  const body = { type: "about:blank", title: STATUS_CODES[status], status, code, detail, next: next || usualNext };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      ...((status === 429 || status === 503) && { "retry-after": RETRY_SECONDS }),
      ...headers,
      "content-type": "application/problem+json",
    },
  });
}

/** The same answer for a missing, wrong, expired or revoked credential. */
export function unauthorized(): Response {
  const headers = { "www-authenticate": 'Bearer realm="GhostInbox"' };
  return problem("unauthorized", "A session or a token is needed.", { headers });
}

export function denied(why: Denial, { message, next }: Readonly<{ message: string; next: string }>): Response {
  return why === "unauthorized" ? unauthorized() : problem(why, message, { next });
}

/**
 * For a right that the web checks itself (`whyNot`). `mailbox_only`: the session belongs to a mailbox, and the route needs another
 * right. `session`: a token was used for a route that needs a session.
 */
export function notAllowed(scope: Scope | "mailbox" | "mailbox_only" | "session"): Response {
  const [detail, next] = NOT_SCOPES[scope] ?? [
    `This session or token lacks the scope ${scope}.`,
    `Use one with the scope ${scope}.`,
  ];
  return problem("not_allowed", detail, { next });
}

const NOT_SCOPES: Readonly<Record<string, readonly [detail: string, next: string]>> = {
  session: ["A token cannot use this: it needs a session of the dashboard.", "Sign in there."],
  mailbox_only: [
    "This session belongs to a mailbox and gives access only to that mailbox.",
    "Sign in as the administrator.",
  ],
  mailbox: ["This is only for users of a mailbox.", "Sign in with the address and the password of a mailbox."],
};

/** Has the same words for a wrong password (401) and for an attempt that is not allowed now (429). */
export function loginRefused(status: 401 | 429): Response {
  return problem("login_refused", "The sign-in was refused.", { status });
}

export function guardDown(): Response {
  return problem("guard_down", "The guard does not answer.");
}

/** For an answer that does not say whether the command was carried out. */
export class Uncertain extends Response {}

export function uncertain({ body, status, headers }: Response): Response {
  return new Uncertain(body, { status, headers });
}
