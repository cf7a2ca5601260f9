import { STATUS_CODES } from "node:http";

/** What went wrong with a request. A code is never renamed or reused: scripts depend on them. */
export const PROBLEM_CODES = [
  "unauthorized",
  "login_refused",
  "foreign_origin",
  "unknown_host",
  "invalid_request",
  "not_json",
  "body_too_large",
  "not_found",
  "method_not_allowed",
  "refused",
  "guard_down",
  "store_down",
  "too_many_streams",
  "timeout",
  "internal",
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export type Problem = Readonly<{
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 429 | 500 | 503;
  code: ProblemCode;
  /** One sentence for the caller. */
  detail: string;
  /** What to do next. */
  next?: string;
  headers?: Readonly<Record<string, string>>;
}>;

/** RFC 9457 problem details. */
export function problem({ status, code, detail, next, headers }: Problem): Response {
  const body = { type: "about:blank", title: STATUS_CODES[status], status, code, detail, ...(next ? { next } : {}) };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "content-type": "application/problem+json" },
  });
}

/** The same answer for a missing, wrong, expired or revoked credential. */
export function unauthorized(): Response {
  return problem({
    status: 401,
    code: "unauthorized",
    detail: "A session or a token is needed.",
    next: "Sign in at /, or send `Authorization: Bearer TOKEN`.",
    headers: { "www-authenticate": 'Bearer realm="GhostInbox"' },
  });
}

/** The same words for a wrong password (401) and for an address that may not try (429). */
export function loginRefused(status: 401 | 429): Response {
  return problem({
    status,
    code: "login_refused",
    detail: "The sign-in was refused.",
    next: "Check the password, or try again later.",
  });
}

export function guardDown(): Response {
  return problem({
    status: 503,
    code: "guard_down",
    detail: "The guard does not answer.",
    next: "It is restarted automatically; try again in a few seconds.",
    headers: { "retry-after": "5" },
  });
}

export function storeDown(): Response {
  return problem({
    status: 503,
    code: "store_down",
    detail: "The database cannot be read.",
    next: "Try again in a few seconds; `ghostinbox status` shows more.",
    headers: { "retry-after": "5" },
  });
}
