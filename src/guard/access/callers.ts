import type { CallerItem } from "../../admin/declare/items.ts";
import { roleOf, SCOPES } from "../../core/access/scopes.ts";
import { freshUntil } from "../../core/access/session.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { type Ip, isOutside } from "../../core/net/ip.ts";
import { isoTimeOrNull } from "../../core/time.ts";
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

/** `isUse`: the secret is being used now, which prolongs a session. `ip`: the client's address; null if unknown. */
type Use = Readonly<{ isUse: boolean; ip: Ip | null }>;

/** The administrator's login name at the dashboard. No account can have it, because account names contain a domain. */
export const ADMINISTRATOR = "admin";

/**
 * Finds a caller of the web by the digest of its secret. Nothing else identifies these callers. Null if the session or token has
 * ended, expired or never existed, or if its mailbox may not be used from this address.
 */
export function callerOf(parts: CallerParts, digest: string, { isUse, ip }: Use): CallerItem | null {
  const { credentials, sessions, mailboxes, networks, engine, clock } = parts;
  const now = clock.now();
  const session = sessions.find(digest, now, isUse);
  if (session !== null) {
    const until = freshUntil(session.provedAt, now);
    const proof = { freshUntil: isoTimeOrNull(until), session: session.id };
    const { account } = session;
    if (account === null)
      return { how: "session", name: ADMINISTRATOR, role: "owner", account, scopes: SCOPES, ...proof };
    // Checked at each request: a stolen session does not work outside the networks from which the account may sign in.
    if (ip === null || !mailboxes().maySignIn) return null;
    if (isOutside(ip, engine.policy.logins.networks, networks.networksOf(account))) return null;
    return { how: "session", name: account, role: "mailbox", account, scopes: [], ...proof };
  }
  const token = credentials.useToken(digest);
  if (token === null) return null;
  const { name, scopes } = token;
  return { how: "token", name, role: roleOf(scopes), account: null, scopes, freshUntil: null, session: null };
}
