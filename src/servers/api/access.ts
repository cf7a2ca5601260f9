import type { Ip } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { Credentials } from "./ports.ts";
import { digestOf, type Sessions } from "./sessions.ts";

/**
 * Who may call a route. `anyone` is for health and for signing in; `session` for what makes sense in a browser only;
 * `session_or_token` for all the rest.
 */
export type Who = "anyone" | "session" | "session_or_token";

/** A caller whose credential holds. */
export type Caller = Readonly<{ how: "session" | "token"; name: string }>;

const COOKIE = "ghostinbox";
const TOKEN = /^Bearer +(gi_[A-Za-z0-9_-]{16,128})$/i;
/** Looked up where no token was sent, so that each path does the same work. */
const NO_TOKEN = "gi_";

type Held = Readonly<{ sessions: Sessions; credentials: Credentials; now: Millis }>;

/** The caller behind these headers; null if no credential holds. Throws `StoreDown`. */
export function callerOf(headers: Headers, { sessions, credentials, now }: Held): Caller | null {
  const token = TOKEN.exec(headers.get("authorization") ?? "")?.[1];
  const tokenName = credentials.tokenNamed(digestOf(token ?? NO_TOKEN));
  const inSession = sessions.use(sessionSecret(headers) ?? "", credentials.adminHash(), now);
  if (token !== undefined) return tokenName === null ? null : { how: "token", name: tokenName };
  return inSession ? { how: "session", name: "admin" } : null;
}

/** Whether the credential by which a stream began still holds; that does not prolong a session. Throws `StoreDown`. */
export function stillHolds(caller: Caller, headers: Headers, { sessions, credentials, now }: Held): boolean {
  if (caller.how === "session") return sessions.stands(sessionSecret(headers) ?? "", credentials.adminHash(), now);
  return callerOf(headers, { sessions, credentials, now })?.how === "token";
}

export function mayCall(who: Who, caller: Caller | null): boolean {
  switch (who) {
    case "anyone":
      return true;
    case "session":
      return caller?.how === "session";
    case "session_or_token":
      return caller !== null;
  }
}

/** How the guard's records name the caller. */
export function actorOf(caller: Caller, ip: Ip): string {
  return caller.how === "token" ? `token ${caller.name} via ${ip}` : `${caller.name} via ${ip}`;
}

export function sessionSecret(headers: Headers): string | null {
  return cookieNamed(headers, COOKIE);
}

export function cookieNamed(headers: Headers, name: string): string | null {
  const cookies = headers.get("cookie")?.split(";") ?? [];
  const ours = cookies.map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(`${name}=`));
  return ours?.slice(name.length + 1) ?? null;
}

/** `Secure` only behind https: a browser would not send it back over the plain loopback port. */
export function sessionCookie(secret: string, secure: boolean, maxAgeSeconds: number): string {
  return `${COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure ? "; Secure" : ""}`;
}

/**
 * True if a page of another origin caused the request: then neither a cookie nor a login counts. Browsers send `Origin`
 * with every request that may change something and `Sec-Fetch-Site` with all (Fetch Metadata); a script sends neither.
 */
export function isForeign(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return true;
  const origin = headers.get("origin");
  return origin !== null && hostOf(origin) !== headers.get("host")?.toLowerCase();
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
