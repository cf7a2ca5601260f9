import type { CallerItem } from "../../admin/declare/items.ts";

/**
 * Who may call a route. `anyone` is for health and sign-in; `session` for what only a browser needs; `session_or_token`
 * for everything else.
 */
export type WhoMayCall = "anyone" | "session" | "session_or_token";

/** A caller with a valid credential, as the guard found it. `secret` identifies the caller to the guard. */
export type Caller = CallerItem & Readonly<{ secret: string }>;

/** The identity by which limits count a caller: the token, the owner's session, or all sessions of a mailbox together. */
export function identityOf(caller: Pick<Caller, "how" | "session" | "name" | "account"> | null): string {
  if (caller === null) return "anyone";
  return caller.account === null ? `${caller.how} ${caller.session ?? caller.name}` : `mailbox ${caller.account}`;
}

const COOKIE = "ghostinbox";
/** Set at the sign-in. It grants no access, but lets this browser's next sign-in skip the queue of strangers. */
const KNOWN_COOKIE = "ghostinbox_device";
/**
 * Prefix of both cookies over https. Browsers accept such a cookie only from this host over https, so neither a sibling domain nor
 * someone on a plain connection can plant one (RFC 6265bis, 4.1.3.2). It needs `Secure`, which plain HTTP lacks.
 */
const HOST_PREFIX = "__Host-";
const KNOWN_SECONDS = 180 * 86_400;
const TOKEN = /^Bearer +(gi_[A-Za-z0-9_-]{16,128})$/i;
const SESSION = /^[A-Za-z0-9_-]{43}$/;

/** The secret in a request. A session does not make up for a wrong token; a malformed secret counts as none. */
export function secretOf(headers: Headers, secure: boolean): string | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) return TOKEN.exec(authorization)?.[1] ?? null;
  const secret = cookieNamed(headers, nameOf(COOKIE, secure));
  return secret !== null && SESSION.test(secret) ? secret : null;
}

export function mayCall(who: WhoMayCall, caller: Caller | null): boolean {
  if (caller === null) return who === "anyone";
  return who !== "session" || caller.how === "session";
}

export function knownOf(headers: Headers, secure: boolean): string | null {
  return cookieNamed(headers, nameOf(KNOWN_COOKIE, secure))?.slice(0, 64) ?? null;
}

function nameOf(cookie: string, secure: boolean): string {
  return secure ? `${HOST_PREFIX}${cookie}` : cookie;
}

function cookieNamed(headers: Headers, name: string): string | null {
  const cookies = headers.get("cookie")?.split(";") ?? [];
  const ours = cookies.map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(`${name}=`));
  return ours?.slice(name.length + 1) ?? null;
}

/** Sets `Secure` only behind https, because a browser would not return such a cookie over plain HTTP on loopback. */
export function sessionCookie(secret: string, secure: boolean, maxAgeSeconds: number): string {
  return `${nameOf(COOKIE, secure)}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure ? "; Secure" : ""}`;
}

/**
 * Set at each sign-in, and void after a new password. Over plain HTTP it has no path, so it is sent only where it was set
 * (RFC 6265, 5.1.4). The prefix requires the path `/`.
 */
export function knownCookie(known: string, secure: boolean): string {
  const attributes = `HttpOnly; SameSite=Strict; Max-Age=${KNOWN_SECONDS}${secure ? "; Path=/; Secure" : ""}`;
  return `${nameOf(KNOWN_COOKIE, secure)}=${known}; ${attributes}`;
}

/**
 * True if a page from another origin caused the request, in which case neither its cookie nor a sign-in is accepted. Browsers send
 * `Origin` with every request that may change something, and `Sec-Fetch-Site` with all (Fetch Metadata). Scripts send neither.
 */
export function isCrossOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return true;
  const origin = headers.get("origin");
  return origin !== null && (URL.parse(origin)?.host ?? null) !== headers.get("host")?.toLowerCase();
}
