import { roleOf, SCOPES } from "../../core/access/scopes.ts";
import { freshUntil } from "../../core/access/session.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { Ip } from "../../core/net/ip.ts";
import { isOutside } from "../../core/net/login-networks.ts";
import { isoTime } from "../../core/time.ts";
import type { CallerItem } from "../../wire/control/access-items.ts";
import type { AccountNetworks, CredentialStore, SessionStore } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";

export type CallerParts = Readonly<{
  credentials: Pick<CredentialStore, "useToken">;
  sessions: Pick<SessionStore, "find">;
  /** Whether users of mailboxes may use the dashboard. */
  mailboxes: () => Readonly<{ maySignIn: boolean }>;
  networks: Pick<AccountNetworks, "networksOf">;
  engine: Readonly<{ policy: Pick<Policy, "logins"> }>;
  clock: Clock;
}>;

/** `isUse`: somebody uses the secret now, which prolongs a session. `ip`: from there; null: it is not known. */
type Use = Readonly<{ isUse: boolean; ip: Ip | null }>;

/** The name of the dashboard's password. An account cannot have it, because account names contain a domain. */
export const ADMINISTRATOR = "admin";

/**
 * Whose secret has this digest: the one place that tells who a caller of the web is. Null: it has ended or expired, or never
 * was, or it is of a mailbox that may not be used from there.
 */
export function callerOf(parts: CallerParts, digest: string, { isUse, ip }: Use): CallerItem | null {
  const { credentials, sessions, clock } = parts;
  const now = clock.now();
  const session = sessions.find(digest, now, isUse);
  if (session !== null) {
    const until = freshUntil(session.provedAt, now);
    const proof = { freshUntil: until === null ? null : isoTime(until), session: session.id };
    const { account } = session;
    if (account === null)
      return { how: "session", name: ADMINISTRATOR, role: "owner", account, scopes: SCOPES, ...proof };
    return mayUse(parts, account, ip)
      ? { how: "session", name: account, role: "mailbox", account, scopes: [], ...proof }
      : null;
  }
  const token = credentials.useToken(digest);
  if (token === null) return null;
  const { name, scopes } = token;
  return { how: "token", name, role: roleOf(scopes), account: null, scopes, freshUntil: null, session: null };
}

/** By the networks that hold for a sign-in, at each request: who has stolen a session gets no further with it elsewhere. */
function mayUse({ mailboxes, networks, engine }: CallerParts, account: string, ip: Ip | null): boolean {
  if (!mailboxes().maySignIn || ip === null) return false;
  return !isOutside(ip, engine.policy.logins.networks, networks.networksOf(account));
}
