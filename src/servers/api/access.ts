import type { Ip } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { type DashboardSessions, secretDigest } from "./dashboard-sessions.ts";
import type { Credentials } from "./ports.ts";

/**
 * Who may call a route. `anyone` is for health and sign-in; `session` for what only a browser needs; `session_or_token`
 * for everything else.
 */
export type SignedInCaller = "anyone" | "session" | "session_or_token";

/** A caller with a valid credential. */
export type Caller = Readonly<{ how: "session" | "token"; name: string }>;

const COOKIE = "ghostinbox";
const TOKEN = /^Bearer +(gi_[A-Za-z0-9_-]{16,128})$/i;
/** Looked up if no token was sent, so that each path does the same work. */
const NO_TOKEN = "gi_";

type Held = Readonly<{ sessions: DashboardSessions; credentials: Credentials; now: Millis }>;

/** The caller of these headers; null without a valid credential. Throws `StoreDown`. */
export function callerOf(headers: Headers, { sessions, credentials, now }: Held): Caller | null {
  const token = TOKEN.exec(headers.get("authorization") ?? "")?.[1];
  const tokenName = credentials.tokenNamed(secretDigest(token ?? NO_TOKEN));
  const inSession = sessions.use(sessionSecret(headers) ?? "", credentials.adminHash(), now);
  if (token !== undefined) return tokenName === null ? null : { how: "token", name: tokenName };
  return inSession ? { how: "session", name: "admin" } : null;
}

/** Whether the credential of a stream is still valid. This does not prolong a session. Throws `StoreDown`. */
export function stillHolds(caller: Caller, headers: Headers, { sessions, credentials, now }: Held): boolean {
  if (caller.how === "session") return sessions.stands(sessionSecret(headers) ?? "", credentials.adminHash(), now);
  return callerOf(headers, { sessions, credentials, now })?.how === "token";
}

export function mayCall(who: SignedInCaller, caller: Caller | null): boolean {
  switch (who) {
    case "anyone":
      return true;
    case "session":
      return caller?.how === "session";
    case "session_or_token":
      return caller !== null;
  }
}

/** The caller's name in the guard's records. */
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

/** `Secure` only behind https: a browser would not send it back over plain HTTP on loopback. */
export function sessionCookie(secret: string, secure: boolean, maxAgeSeconds: number): string {
  return `${COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure ? "; Secure" : ""}`;
}

/**
 * True if a page of another origin caused the request. Then neither a cookie nor a sign-in counts. Browsers send
 * `Origin` with every request that may change something, and `Sec-Fetch-Site` with all (Fetch Metadata). Scripts send
 * neither.
 */
export function isCrossOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return true;
  const origin = headers.get("origin");
  return origin !== null && hostOf(origin) !== headers.get("host")?.toLowerCase();
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
