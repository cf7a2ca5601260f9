import type { Role, Scope } from "../../core/access/scopes.ts";

/** A password of an account for a single mail program. `usedAt`: to the minute; null: not yet. */
export type AppPasswordItem = Readonly<{ name: string; madeAt: string; madeBy: string; usedAt: string | null }>;

/** A session of the dashboard. `id` names it and opens nothing; `device`: from the browser's own description. */
export type SessionItem = Readonly<{ id: string; device: string; ip: string; startedAt: string; usedAt: string }>;

/** `account`: the mailbox whose user is signed in; null: the administrator. */
export type ListedSession = SessionItem & Readonly<{ account: string | null }>;

/** Who a session or a token is. `account`: the mailbox whose user it is; null: it administers, as its scopes say. */
export type CallerItem = Readonly<{
  how: "session" | "token";
  name: string;
  role: Role;
  account: string | null;
  scopes: readonly Scope[];
  /** Until when the proof that the session gave is fresh; null: it must be given, or it is a token, which gives none. */
  freshUntil: string | null;
  /** The session's id; null for a token. */
  session: string | null;
}>;
