import { parseAccountName } from "../../../core/net/address.ts";
import { type Ip, parseIp } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import type { Millis } from "../../../core/time.ts";
import type { CallerItem, ListedSession } from "../../../wire/control/access-items.ts";
import type { Command, Reply } from "../../../wire/control/control.ts";
import type { CountedPage, PageRequest } from "../../../wire/control/paging.ts";
import type { NotIn } from "../../../wire/control/results.ts";
import { type CallerParts, callerOf } from "../../access/callers.ts";
import type { MailboxSignIn } from "../../access/mailbox-sign-in.ts";
import type { Given, Opened, SignIn } from "../../access/sign-in.ts";
import type { SessionStore } from "../../admin-ports.ts";
import type { Clock } from "../../ports.ts";
import { UNRECORDED } from "../unrecorded.ts";
import { NO_ADDRESS, type WebCaller } from "../web/web.ts";
import { wrongAddress } from "../wrong-address.ts";
import type { CredentialCommandParts } from "./access.ts";

export type DashboardCommandParts = CredentialCommandParts &
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
type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;

/** Without an account the sign-in is the administrator's. Only this answer contains the session's secret. */
export async function signInCommand(
  parts: DashboardCommandParts,
  { administrator, mailboxes }: SignIns,
  command: Of<"sign_in" | "sign_in_passkey" | "sign_in_mailbox">,
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
export async function callerCommand(
  parts: DashboardCommandParts,
  signIns: SignIns,
  command: Of<"caller" | "prove" | "prove_passkey" | "sign_out">,
  { caller, by }: Readonly<{ caller: WebCaller; by: string }>,
): Promise<Reply> {
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
  command: Of<"prove" | "prove_passkey">,
  { item, digest, ip }: WebCaller,
): Promise<"proved" | NotIn> {
  if (item.account === null) return administrator.prove({ ip, ...givenIn(command) }, digest);
  const account = parseAccountName(item.account);
  if (account === null || command.verb === "prove_passkey") return "refused";
  return mailboxes.prove({ ip, account, password: command.password }, digest);
}

function givenIn(command: Of<"sign_in" | "sign_in_passkey" | "prove" | "prove_passkey">): Given {
  return "password" in command ? { password: command.password, code: command.code } : { passkey: command };
}

const TOKENS_PROVE_NOTHING = {
  ok: false,
  kind: "failed",
  message: "A token cannot give a proof: it has no password.",
  next: "Sign in to the dashboard, or use the command line on the server.",
} as const;

export async function sessionCommand(
  { sessions, signedIn: listed, clock, engine }: SessionCommandParts,
  command: Of<"session_list" | "session_end" | "session_end_all">,
  by: string,
  { caller }: Readonly<{ caller: WebCaller | null }>,
): Promise<Reply> {
  const ends = async (subject: string, ended: number): Promise<Reply> => {
    const recorded = await engine.audit({ type: "SESSION_ENDED", subject, by });
    return recorded ? { ok: true, result: { ended } } : UNRECORDED;
  };
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
      return { ok: false, kind: "failed", message, next: "`session list` shows the sessions." };
    }
    case "session_end_all": {
      const ended = sessions.end(caller === null ? "everybody" : { of: null, except: caller.item.session });
      return ends(`${plural(ended, "session")}${caller === null ? "" : ", all but its own"}`, ended);
    }
  }
}
