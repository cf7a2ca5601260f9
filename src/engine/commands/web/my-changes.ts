import type { AccountName } from "../../../core/net/address.ts";
import { passwordProblem } from "../../../core/passwords/rule.ts";
import { plural } from "../../../core/text.ts";
import type { CommandError, Reply } from "../../../wire/control/control.ts";
import type { SessionStore } from "../../admin-ports.ts";
import type { AccountPasswords, Outcome } from "../../ports.ts";
import type { AccountListParts } from "../accounts/account-lists.ts";
import { endSessions, sessionsStay } from "../accounts/accounts.ts";
import type { GreylistCommandParts } from "../greylist.ts";
import { recordFirst } from "../record-first.ts";
import type { SpamCommandParts } from "../spam.ts";
import { UNRECORDED, UNWRITTEN } from "../unrecorded.ts";
import { UNAUTHORIZED, type WebCaller } from "./web.ts";
import type { WebPasswordParts } from "./web-passwords.ts";

export type MyChangeParts = AccountListParts &
  WebPasswordParts &
  GreylistCommandParts &
  SpamCommandParts &
  Readonly<{
    sessions: SessionStore;
    /** Sessions as Dovecot sees them. */
    active: AccountPasswords;
  }>;

/** The mailbox, its user's session, and the actor to record. */
type Of = Readonly<{ account: AccountName; caller: WebCaller; by: string }>;

const ON_SERVER: CommandError = {
  ok: false,
  kind: "failed",
  message:
    "Your mail is encrypted with a key that your password opens, so a new password can be set only on the server.",
  next: "Ask the administrator of this server.",
};

/**
 * A new password ends every session of the account, at this page and in mail programs, except the caller's. Sets no password if
 * the owner ended the session, suspended the account or set a different password while the new one was hashed.
 */
export async function myPassword(
  parts: MyChangeParts,
  password: string,
  { account, caller, by }: Of,
): Promise<Reply<"my_password">> {
  const refused = whyNotSet(parts, password, account);
  if (refused !== null) return refused;
  const { sessions, accounts, active, engine, clock } = parts;
  const own = () => sessions.list(account, clock.now()).find(({ id }) => id === caller.item.session);
  const [asking, former] = [own(), active.passwordHash(account)];
  if (asking === undefined || former === null) return UNAUTHORIZED;
  const [made] = await parts.secrets.make([{ owner: account, password }]);
  if (made === undefined) throw new Error("no hash was made of a password");
  const isStill = (): boolean => own() !== undefined && active.passwordHash(account) === former;
  const change = (): Outcome => (isStill() ? accounts.setPassword(account, made.hash) : ENDED);
  const changed = { type: "SET_PASSWORD", account: account.toLowerCase(), proof: made.proof } as const;
  const outcome = await recordFirst(parts, change, () =>
    engine.audit({ type: "PASSWORD_CHANGED", subject: account, by }, [changed]),
  );
  if (outcome === "unwritten") return UNWRITTEN;
  if (!outcome.ok) return isStill() ? notSet(outcome.reason) : UNAUTHORIZED;
  const { digest, ip } = caller;
  sessions.open({ digest, id: asking.id, account, device: asking.device, ip, at: clock.now() });
  const ended = await endSessions(parts, account);
  return ended.ok ? { ok: true, result: { done: true } } : sessionsStay(account, ended.reason);
}

/** Returns why the user cannot set this password, or null. */
export function whyNotSet(
  { mailboxes }: Pick<MyChangeParts, "mailboxes">,
  password: string,
  account: AccountName,
): CommandError | null {
  if (mailboxes().keyOfEach) return ON_SERVER;
  const problem = passwordProblem(password, account);
  return problem === null ? null : { ok: false, kind: "usage", message: problem, next: "Choose another one." };
}

const ENDED: Outcome = { ok: false, reason: "The session has ended." };

function notSet(message: string): CommandError {
  return { ok: false, kind: "failed", message, next: "Ask the administrator of this server." };
}

export async function mySessionsEnd(
  { sessions, engine }: Pick<MyChangeParts, "sessions" | "engine">,
  { account, caller, by }: Of,
): Promise<Reply<"my_sessions_end">> {
  const ended = sessions.end({ of: account, except: caller.item.session });
  if (ended === 0) return { ok: true, result: { ended } };
  const subject = `${plural(ended, "session")}, all but its own`;
  return (await engine.audit({ type: "SESSION_ENDED", subject, by })) ? { ok: true, result: { ended } } : UNRECORDED;
}
