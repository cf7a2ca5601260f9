import { STATUS_CODES } from "node:http";
import type { Denial } from "../../admin/declare/control.ts";
import type { Scope } from "../../core/access/scopes.ts";
import { SECOND_MS } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";

const DESCRIBED = "`/openapi.json` says what this route takes.";
const LATER = "Try again in a few seconds.";

/** What to do next by what went wrong. A code is never renamed or reused: scripts depend on them. */
const NEXT = {
  unauthorized: "Sign in, or send `Authorization: Bearer TOKEN`.",
  login_refused: "Check the password and the code, or try again later.",
  code_needed: "Send it as `code`: that of the authenticator app, or a recovery code.",
  too_many_wrong: "Try again in 10 seconds.",
  not_allowed: "Use a session or a token with the scope, or the command line on the server.",
  proof_needed: "Give the password again at `/api/v1/session/proof`, then repeat it.",
  foreign_origin:
    "Use the dashboard's own page. If it is behind a proxy of yours, the proxy must pass on `Host`, as in nginx `proxy_set_header Host $host;` (docs/reverse-proxy.md).",
  unknown_host: "If it should, add it to http.names.",
  invalid_request: DESCRIBED,
  not_json: DESCRIBED,
  body_too_large: DESCRIBED,
  not_found: "`/openapi.json` lists every route.",
  method_not_allowed: "Use one of the methods of the header `Allow`.",
  refused: "`detail` says why; change that first.",
  key_reused: "Send each new request with a new key.",
  key_in_use: LATER,
  key_done: "Check the current state, such as the list of tokens; send a new request with a new key.",
  key_uncertain: "Check the current state; if it was not done, send it with another key.",
  too_many_keys: "Send it without the key, or with another session or token.",
  too_many_requests: "Wait for as long as `Retry-After` says.",
  guard_down: "It is restarted automatically; try again in a few seconds.",
  store_down: "Try again in a few seconds; `ghostinbox status` shows more.",
  too_many_streams: "Close one, such as a page of the dashboard.",
  busy: LATER,
  timeout: "Look at what there is now before you repeat a change: it may have been made.",
  internal: "The log of the web program on the server says more.",
};
type ProblemCode = keyof typeof NEXT;
export const PROBLEM_CODES: readonly string[] = Object.keys(NEXT);

export type Problem = Readonly<{
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 429 | 500 | 503;
  code: ProblemCode;
  detail: string;
  /** What to do next. Absent or empty: the default of its code. */
  next?: string;
  headers?: Readonly<Record<string, string>>;
}>;

/** Default seconds after which a retry may help. */
const RETRY_SECONDS = "5";

/** RFC 9457 problem details. With 429 and 503 they say when to try again (RFC 9110, 10.2.3). */
export function problem({ status, code, detail, next, headers }: Problem): Response {
  const body = { type: "about:blank", title: STATUS_CODES[status], status, code, detail, next: next || NEXT[code] };
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
  return problem({
    status: 401,
    code: "unauthorized",
    detail: "A session or a token is needed.",
    headers: { "www-authenticate": 'Bearer realm="GhostInbox"' },
  });
}

/** For a session or token that is not known yet and was not checked. It may be valid, so this is not a 401. */
export function tooManyWrong(): Response {
  return problem({
    status: 429,
    code: "too_many_wrong",
    detail: "Too many wrong sessions or tokens came from this network.",
    headers: { "retry-after": String(API_LIMITS.wrongCredentialsMs / SECOND_MS) },
  });
}

export function tooManyRequests(seconds: number): Response {
  const detail = "This session or token has sent too many requests.";
  const headers = { "retry-after": String(seconds) };
  return problem({ status: 429, code: "too_many_requests", detail, headers });
}

export function denied(why: Denial, { message, next }: Readonly<{ message: string; next: string }>): Response {
  return why === "unauthorized" ? unauthorized() : problem({ status: 403, code: why, detail: message, next });
}

/** For a right that the web checks itself (`whyNot`). `mailbox_only`: the session is of a mailbox, and the route needs another right. */
export function notAllowed(scope: Scope | "mailbox" | "mailbox_only"): Response {
  const [detail, next] = whyNotAllowed(scope);
  return problem({ status: 403, code: "not_allowed", detail, next });
}

function whyNotAllowed(scope: Scope | "mailbox" | "mailbox_only"): readonly [detail: string, next: string] {
  switch (scope) {
    case "mailbox_only":
      return [
        "This session belongs to a mailbox and gives access only to that mailbox.",
        "Sign in as the administrator.",
      ];
    case "mailbox":
      return ["This is only for users of a mailbox.", "Sign in with the address and the password of a mailbox."];
    default:
      return [`This session or token lacks the scope ${scope}.`, `Use one with the scope ${scope}.`];
  }
}

/** The same words for a wrong password (401) and for an address that may not try (429). */
export function loginRefused(status: 401 | 429): Response {
  return problem({ status, code: "login_refused", detail: "The sign-in was refused." });
}

/** The password was right. With a second factor set up it is not enough. */
export function codeNeeded(): Response {
  return problem({ status: 401, code: "code_needed", detail: "A code is needed in addition to the password." });
}

export function guardDown(): Response {
  return problem({ status: 503, code: "guard_down", detail: "The guard does not answer." });
}

/** For an answer that does not say whether the command was carried out. */
export class Uncertain extends Response {}

/** The guard accepted the command, but its answer is missing. */
export function guardSilent(): Response {
  return uncertain(problem({ status: 503, code: "timeout", detail: "The guard did not answer in time." }));
}

export function uncertain({ body, status, headers }: Response): Response {
  return new Uncertain(body, { status, headers });
}

/** Strangers see it too, so it does not say why. */
export function guardFailed(): Response {
  const next = "`ghostinbox status` on the server shows why, such as a full disk.";
  return problem({ status: 503, code: "guard_down", detail: "The guard cannot do this now.", next });
}

export function storeDown(): Response {
  return problem({ status: 503, code: "store_down", detail: "The database cannot be read." });
}

export function busy(): Response {
  const next = "Try again in a few seconds, with a narrower search if it happens again.";
  const headers = { "retry-after": "2" };
  return problem({ status: 503, code: "busy", detail: "The search was not answered.", next, headers });
}

/** For a new password, which is never set unjudged. */
export function judgesBusy(): Response {
  const detail = "The password could not be judged in time, so nothing was changed.";
  const next = "Try again in a few seconds, or let the server make the password.";
  return problem({ status: 503, code: "busy", detail, next });
}
