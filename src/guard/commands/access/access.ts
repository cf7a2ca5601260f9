import type { TokenItem } from "../../../admin/access.ts";
import type { ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import type { CallerItem, ListedSession, NotIn } from "../../../admin/declare/items.ts";
import type { CountedPage, PageRequest } from "../../../admin/declare/paging.ts";
import { parseScopes, printScopes, SCOPES } from "../../../core/access/scopes.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { type Ip, parseIp } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { durationOf, isoTime, later, type Millis } from "../../../core/time.ts";
import { type CallerParts, callerOf } from "../../access/callers.ts";
import type { MailboxSignIn } from "../../access/mailbox-sign-in.ts";
import type { Given, Opened, SignIn } from "../../access/sign-in.ts";
import type { CredentialStore, NewToken, SessionStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock } from "../../ports.ts";
import { recordDone, UNRECORDED, UNWRITTEN } from "../record-first.ts";
import { failed, usage, wrongAddress } from "../refusals.ts";
import { NO_ADDRESS, type OfCaller, UNAUTHORIZED, type WebCaller } from "../web/command-gate.ts";

/** Who may administer the server. */
type CredentialCommandParts = Readonly<{
  credentials: CredentialStore;
  /** Ordered by name. */
  tokens: (asked: PageRequest) => CountedPage<TokenItem>;
  engine: Pick<Engine, "audit">;
  clock: Clock;
}>;

export type TokenCommandParts = Pick<CredentialCommandParts, "engine" | "clock"> &
  Readonly<{ credentials: Pick<CredentialStore, "createToken" | "revokeToken"> }>;

async function tokenCommand(
  { credentials, engine, clock }: TokenCommandParts,
  command: ParsedCommandOf<"token_create" | "token_revoke">,
  by: string,
): Promise<Reply> {
  const creating = command.verb === "token_create";
  const wanted = creating ? newToken(command, by, clock.now()) : null;
  if (wanted !== null && "ok" in wanted) return wanted;
  const outcome = wanted !== null ? credentials.createToken(wanted) : credentials.revokeToken(command.name);
  if (!outcome.ok) return failed(outcome.reason, "`token list` shows the tokens.");
  const type = creating ? "TOKEN_CREATED" : "TOKEN_REVOKED";
  const grants = wanted === null ? {} : { grants: grantsOf(wanted) };
  if (await engine.audit({ type, subject: command.name, by, ...grants }))
    return { ok: true, result: { name: command.name } };
  // A token that no one learns of must not stay; a revoked one stays revoked.
  if (!creating) return UNRECORDED;
  credentials.revokeToken(command.name);
  return UNWRITTEN;
}

function newToken(
  { name, digest, scopes: listed, for: lasts }: ParsedCommandOf<"token_create">,
  by: string,
  at: Millis,
) {
  const scopes = parseScopes(listed.join(","));
  if (scopes === null) return usage(`A token has one or more of the scopes ${SCOPES.join(", ")}.`, "");
  return { name, digest, scopes, by, at, expiresAt: lasts === null ? null : later(at, durationOf(lasts)) };
}

function grantsOf({ scopes, expiresAt }: Pick<NewToken, "scopes" | "expiresAt">): string {
  return `${printScopes(scopes)}, ${expiresAt === null ? "without an end" : `until ${isoTime(expiresAt)}`}`;
}

function tokenList({ tokens }: CredentialCommandParts, asked: PageRequest): Reply<"token_list"> {
  return { ok: true, result: tokens(asked) };
}

async function adminPassword(
  { credentials, engine }: CredentialCommandParts,
  { hash }: ParsedCommandOf<"admin_set_hash">,
  by: string,
): Promise<Reply> {
  if (!/^\{ARGON2ID\}[\x21-\x7e]+$/.test(hash)) return usage("The password must come hashed.", "Use `admin passwd`.");
  credentials.setAdminPassword(hash);
  return recordDone(engine, { type: "ADMIN_PASSWORD_CHANGED", subject: "admin", by }, { done: true });
}

type DashboardCommandParts = CredentialCommandParts &
  Pick<CallerParts, "mailboxes" | "networks" | "engine"> &
  Readonly<{
    sessions: SessionStore;
    /** The sessions of the administrator and of all mailboxes. */
    signedIn: (asked: PageRequest, now: Millis) => CountedPage<ListedSession>;
    clock: Clock;
  }>;
export type SessionCommandParts = Pick<DashboardCommandParts, "signedIn" | "clock"> &
  Pick<CredentialCommandParts, "engine"> &
  Readonly<{ sessions: Pick<SessionStore, "end"> }>;
/** Each has separate queues. */
export type SignIns = Readonly<{ administrator: SignIn; mailboxes: MailboxSignIn }>;

/** Without an account the sign-in is the administrator's. Only this answer contains the session's secret. */
async function signInCommand(
  parts: DashboardCommandParts,
  command: ParsedCommandOf<"sign_in" | "sign_in_passkey" | "sign_in_mailbox">,
  _: string,
  { signIns: { administrator, mailboxes } }: Readonly<{ signIns: SignIns }>,
): Promise<Reply<"sign_in">> {
  const ip = parseIp(command.ip);
  if (ip === null) return NO_ADDRESS;
  if (command.verb !== "sign_in_mailbox") {
    const { known, device } = command;
    return signedIn(parts, await administrator.open({ ip, known, ...givenIn(command) }, device), ip);
  }
  const account = parseAccountName(command.account);
  if (account === null) return wrongAddress(command.account);
  const { password, device } = command;
  return signedIn(parts, await mailboxes.open({ ip, account, password }, device), ip);
}

function signedIn(parts: DashboardCommandParts, opened: Opened | NotIn, ip: Ip): Reply<"sign_in"> {
  if (typeof opened === "string") return { ok: true, result: { outcome: opened } };
  const caller = callerOf(parts, opened.digest, { isUse: true, ip });
  if (caller === null) return { ok: true, result: { outcome: "refused" } };
  return { ok: true, result: { outcome: "in", secret: opened.secret, known: opened.known, caller } };
}

/** Commands about the caller itself. */
async function callerCommand(
  parts: DashboardCommandParts,
  command: ParsedCommandOf<"caller" | "prove" | "prove_passkey" | "sign_out">,
  by: string,
  { signIns, caller }: OfCaller & Readonly<{ signIns: SignIns }>,
): Promise<Reply> {
  if (caller === null) return UNAUTHORIZED;
  const { item, digest, ip } = caller;
  switch (command.verb) {
    case "caller":
      return { ok: true, result: { caller: item } };
    case "sign_out":
      if (item.session === null || parts.sessions.end({ id: item.session }) === 0)
        return { ok: true, result: { done: true } };
      await administrators(parts, item, { type: "SESSION_ENDED", subject: item.session, by });
      return { ok: true, result: { done: true } };
    case "prove":
    case "prove_passkey": {
      if (item.session === null) return TOKENS_PROVE_NOTHING;
      const outcome = await prove(signIns, command, caller);
      if (outcome === "proved")
        await administrators(parts, item, { type: "SESSION_PROVED", subject: item.session, by });
      return { ok: true, result: { outcome, caller: callerOf(parts, digest, { isUse: true, ip }) ?? item } };
    }
  }
}

/** Audits what an administrator did. Entries of mailbox users would crowd them out. */
async function administrators(
  { engine }: Pick<DashboardCommandParts, "engine">,
  { account }: CallerItem,
  entry: Parameters<typeof engine.audit>[0],
): Promise<void> {
  if (account === null) await engine.audit(entry);
}

/** The user of a mailbox proves with that mailbox's password. Passkeys are the administrator's. */
async function prove(
  { administrator, mailboxes }: SignIns,
  command: ParsedCommandOf<"prove" | "prove_passkey">,
  { item, digest, ip }: WebCaller,
): Promise<"proved" | NotIn> {
  if (item.account === null) return administrator.prove({ ip, ...givenIn(command) }, digest);
  const account = parseAccountName(item.account);
  if (account === null || command.verb === "prove_passkey") return "refused";
  return mailboxes.prove({ ip, account, password: command.password }, digest);
}

function givenIn(command: ParsedCommandOf<"sign_in" | "sign_in_passkey" | "prove" | "prove_passkey">): Given {
  return "password" in command ? { password: command.password, code: command.code } : { passkey: command };
}

const TOKENS_PROVE_NOTHING = failed(
  "A token cannot give a proof: it has no password.",
  "Sign in to the dashboard, or use the command line on the server.",
);

async function sessionCommand(
  { sessions, signedIn: listed, clock, engine }: SessionCommandParts,
  command: ParsedCommandOf<"session_list" | "session_end" | "session_end_all">,
  by: string,
  { caller }: OfCaller,
): Promise<Reply> {
  const ends = (subject: string, ended: number): Promise<Reply> =>
    recordDone(engine, { type: "SESSION_ENDED", subject, by }, { ended });
  switch (command.verb) {
    case "session_list": {
      const { items, next, total } = listed(command, clock.now());
      const own = caller?.item.session ?? null;
      return { ok: true, result: { items: items.map((item) => ({ ...item, isOwn: item.id === own })), next, total } };
    }
    case "session_end": {
      const ended = sessions.end({ id: command.id });
      if (ended > 0) return ends(command.id, ended);
      const message = "There is no such session, or it has already ended.";
      return failed(message, "`session list` shows the sessions.");
    }
    case "session_end_all": {
      const ended = sessions.end(caller === null ? "everybody" : { of: null, except: caller.item.session });
      return ends(`${plural(ended, "session")}${caller === null ? "" : ", all but its own"}`, ended);
    }
  }
}

export const ACCESS_RUNS = {
  token_create: tokenCommand,
  token_revoke: tokenCommand,
  token_list: tokenList,
  admin_set_hash: adminPassword,
  sign_in: signInCommand,
  sign_in_passkey: signInCommand,
  sign_in_mailbox: signInCommand,
  caller: callerCommand,
  prove: callerCommand,
  prove_passkey: callerCommand,
  sign_out: callerCommand,
  session_list: sessionCommand,
  session_end: sessionCommand,
  session_end_all: sessionCommand,
};
