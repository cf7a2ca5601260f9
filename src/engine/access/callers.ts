import { roleOf, SCOPES } from "../../core/access/scopes.ts";
import { freshUntil } from "../../core/access/session.ts";
import { isoTime } from "../../core/time.ts";
import type { CallerItem } from "../../wire/control/access-items.ts";
import type { CredentialStore, SessionStore } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";

export type CallerParts = Readonly<{
  credentials: Pick<CredentialStore, "useToken">;
  sessions: Pick<SessionStore, "find">;
  /** Whether users of mailboxes may use the dashboard. */
  mailboxes: () => Readonly<{ maySignIn: boolean }>;
  clock: Clock;
}>;

/** The name of the dashboard's password. An account cannot have it, because account names contain a domain. */
export const ADMINISTRATOR = "admin";

/**
 * Whose secret has this digest: the one place that tells who a caller of the web is. Null: it has
 * ended or expired, or never was. `isUse`: somebody uses it now, which prolongs a session.
 */
export function callerOf(
  { credentials, sessions, mailboxes, clock }: CallerParts,
  digest: string,
  isUse: boolean,
): CallerItem | null {
  const now = clock.now();
  const session = sessions.find(digest, now, isUse);
  if (session !== null) {
    const until = freshUntil(session.provedAt, now);
    const proof = { freshUntil: until === null ? null : isoTime(until), session: session.id };
    const { account } = session;
    if (account === null)
      return { how: "session", name: ADMINISTRATOR, role: "owner", account, scopes: SCOPES, ...proof };
    return mailboxes().maySignIn
      ? { how: "session", name: account, role: "mailbox", account, scopes: [], ...proof }
      : null;
  }
  const token = credentials.useToken(digest);
  if (token === null) return null;
  const { name, scopes } = token;
  return { how: "token", name, role: roleOf(scopes), account: null, scopes, freshUntil: null, session: null };
}
