import type { TokenItem } from "../../../admin/access.ts";
import type { ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import type { CallerItem, ListedSession, NotIn } from "../../../admin/declare/items.ts";
import type { CountedPage, PageRequest } from "../../../admin/declare/paging.ts";
import { parseScopes, printScopes, SCOPES } from "../../../core/access/scopes.ts";
import type { Audit } from "../../../core/events/command.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { type Ip, parseIp } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { durationOf, isoTime, later, type Millis } from "../../../core/time.ts";
import { type CallerParts, callerOf } from "../../access/callers.ts";
import type { MailboxSignIn } from "../../access/mailbox-sign-in.ts";
import type { Credentials, Opened, SignIn } from "../../access/sign-in.ts";
import type { CredentialStore, SessionStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock } from "../../ports.ts";
import { type RecordParts, recordDone, recordThenChange } from "../record-first.ts";
import { failed, usage, wrongAddress } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { NO_ADDRESS, type OfCaller, UNAUTHORIZED, type WebCaller } from "../web/command-gate.ts";

type CredentialCommandParts = Readonly<{
  credentials: CredentialStore;
  /** Ordered by name. */
  tokens: (asked: PageRequest) => CountedPage<TokenItem>;
  engine: Pick<Engine, "audit">;
  clock: Clock;
}>;

type TokenCommandParts = RecordParts &
  Pick<CredentialCommandParts, "clock"> &
  Readonly<{ credentials: Pick<CredentialStore, "createToken" | "revokeToken"> }>;

const TOKEN_RUNS = {
  token_create: async (parts, { name, digest, scopes: listed, for: lasts }, by) => {
    const scopes = parseScopes(listed.join(","));
    if (scopes === null) return usage(`A token has one or more of the scopes ${SCOPES.join(", ")}.`, "");
    const at = parts.clock.now();
    const expiresAt = lasts === null ? null : later(at, durationOf(lasts));
    const grants = `${printScopes(scopes)}, ${expiresAt === null ? "does not expire" : `until ${isoTime(expiresAt)}`}`;
    return recordThenChange(parts, {
      change: () => parts.credentials.createToken({ name, digest, scopes, by, at, expiresAt }),
      audit: { type: "TOKEN_CREATED", subject: name, by, grants },
      result: { name },
      refused: (reason) => failed(reason, LISTS_TOKENS),
    });
  },
  /** Revokes the token before the record is written, so that this works on a full disk too. */
  token_revoke: async ({ credentials, engine }, { name }, by) => {
    const outcome = credentials.revokeToken(name);
    if (!outcome.ok) return failed(outcome.reason, LISTS_TOKENS);
    return recordDone(engine, { type: "TOKEN_REVOKED", subject: name, by }, { name });
  },
} satisfies RunsOf<TokenCommandParts>;

const LISTS_TOKENS = "`token list` shows the tokens.";

type DashboardCommandParts = CredentialCommandParts &
  Pick<CallerParts, "mailboxes" | "networks" | "engine"> &
  Readonly<{
    sessions: SessionStore;
    /** The sessions of the administrator and of all mailboxes. */
    signedIn: (asked: PageRequest, now: Millis) => CountedPage<ListedSession>;
  }>;
type SessionCommandParts = Pick<DashboardCommandParts, "signedIn" | "clock"> &
  Pick<CredentialCommandParts, "engine"> &
  Readonly<{ sessions: Pick<SessionStore, "end"> }>;
/** Sign-ins of the administrator and of mailbox users, which have separate queues. */
export type SignIns = Readonly<{ administrator: SignIn; mailboxes: MailboxSignIn }>;
export type OfSignIns = Readonly<{ signIns: SignIns }>;
type ProveCommand = ParsedCommandOf<"prove" | "prove_passkey">;

const DASHBOARD_RUNS = {
  token_list: ({ tokens }, asked) => ({ ok: true, result: tokens(asked) }),
  admin_set_hash: async ({ credentials, engine }, { hash }, by) => {
    if (!/^\{ARGON2ID\}[\x21-\x7e]+$/.test(hash)) return usage("The password must be hashed.", "Use `admin passwd`.");
    credentials.setAdminPassword(hash);
    return recordDone(engine, { type: "ADMIN_PASSWORD_CHANGED", subject: "admin", by }, { done: true });
  },
  sign_in: signInCommand,
  sign_in_passkey: signInCommand,
  sign_in_mailbox: signInCommand,
  caller: (_, __, ___, { caller }) => (caller === null ? UNAUTHORIZED : { ok: true, result: { caller: caller.item } }),
  sign_out: async (parts, _, by, { caller }) => {
    if (caller === null) return UNAUTHORIZED;
    const { item } = caller;
    if (item.session !== null && parts.sessions.end({ id: item.session }) > 0)
      await administrators(parts, item, { type: "SESSION_ENDED", subject: item.session, by });
    return { ok: true, result: { done: true } };
  },
  prove: proveCommand,
  prove_passkey: proveCommand,
} satisfies RunsOf<DashboardCommandParts, OfSignIns & OfCaller>;

/** Without an account the sign-in is the administrator's. Only this answer contains the session's secret. */
async function signInCommand(
  parts: DashboardCommandParts,
  command: ParsedCommandOf<"sign_in" | "sign_in_passkey" | "sign_in_mailbox">,
  _: string,
  { signIns: { administrator, mailboxes } }: OfSignIns,
): Promise<Reply<"sign_in">> {
  const ip = parseIp(command.ip);
  if (ip === null) return NO_ADDRESS;
  if (command.verb !== "sign_in_mailbox") {
    const { known, device } = command;
    return signedIn(parts, await administrator.open({ ip, known, ...credentialsIn(command) }, device), ip);
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

async function proveCommand(
  parts: DashboardCommandParts,
  command: ProveCommand,
  by: string,
  { signIns, caller }: OfSignIns & OfCaller,
): Promise<Reply<"prove">> {
  if (caller === null) return UNAUTHORIZED;
  const { item, digest, ip } = caller;
  if (item.session === null) return TOKENS_PROVE_NOTHING;
  const outcome = await prove(signIns, command, caller);
  if (outcome === "proved") await administrators(parts, item, { type: "SESSION_PROVED", subject: item.session, by });
  return { ok: true, result: { outcome, caller: callerOf(parts, digest, { isUse: true, ip }) ?? item } };
}

/** Audits what an administrator did. Entries of mailbox users, which would crowd out the others, are omitted. */
async function administrators(
  { engine }: Pick<DashboardCommandParts, "engine">,
  { account }: CallerItem,
  entry: Audit,
): Promise<void> {
  if (account === null) await engine.audit(entry);
}

/** The user of a mailbox gives a proof with that mailbox's password. Passkeys are only for the administrator. */
async function prove({ administrator, mailboxes }: SignIns, command: ProveCommand, { item, digest, ip }: WebCaller) {
  if (item.account === null) return administrator.prove({ ip, ...credentialsIn(command) }, digest);
  const account = parseAccountName(item.account);
  if (account === null || command.verb === "prove_passkey") return "refused";
  return mailboxes.prove({ ip, account, password: command.password }, digest);
}

function credentialsIn(command: ParsedCommandOf<"sign_in" | "sign_in_passkey"> | ProveCommand): Credentials {
  return "password" in command ? { password: command.password, code: command.code } : { passkey: command };
}

const TOKENS_PROVE_NOTHING = failed(
  "A token cannot give a proof: it has no password.",
  "Sign in to the dashboard, or use the command line on the server.",
);

const SESSION_RUNS = {
  session_list: ({ signedIn: listed, clock }, asked, _, { caller }) => {
    const { items, next, total } = listed(asked, clock.now());
    const own = caller?.item.session;
    return { ok: true, result: { items: items.map((item) => ({ ...item, isOwn: item.id === own })), next, total } };
  },
  session_end: async ({ sessions, engine }, { id }, by) => {
    const ended = sessions.end({ id });
    if (ended > 0) return recordDone(engine, { type: "SESSION_ENDED", subject: id, by }, { ended });
    return failed("There is no such session, or it has already ended.", "`session list` shows the sessions.");
  },
  session_end_all: ({ sessions, engine }, _, by, { caller }) => {
    const ended = sessions.end(caller === null ? "everybody" : { of: null, except: caller.item.session });
    const subject = `${plural(ended, "session")}${caller === null ? "" : ", all but its own"}`;
    return recordDone(engine, { type: "SESSION_ENDED", subject, by }, { ended });
  },
} satisfies RunsOf<SessionCommandParts, OfCaller>;

export const ACCESS_RUNS = { ...TOKEN_RUNS, ...DASHBOARD_RUNS, ...SESSION_RUNS };
