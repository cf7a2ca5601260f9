import { parseIp } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import { callerOf } from "../access/callers.ts";
import type { Given, SignIn } from "../access/sign-in.ts";
import type { SessionStore } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";
import type { CredentialCommandParts } from "./access.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { NO_ADDRESS, type WebCaller } from "./web.ts";

export type DashboardCommandParts = CredentialCommandParts & Readonly<{ sessions: SessionStore; clock: Clock }>;
type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;

/** Sign-ins always count as the administrator's. The secret of the session is in this answer, and nowhere else. */
export async function signInCommand(
  parts: DashboardCommandParts,
  signIn: SignIn,
  command: Of<"sign_in" | "sign_in_passkey">,
): Promise<Reply<"sign_in">> {
  const ip = parseIp(command.ip);
  if (ip === null) return NO_ADDRESS;
  const { known, device } = command;
  const opened = await signIn.open({ ip, known, ...givenIn(command) }, device);
  if (typeof opened === "string") return { ok: true, result: { outcome: opened } };
  const caller = callerOf(parts, opened.digest, true);
  if (caller === null) return { ok: true, result: { outcome: "refused" } };
  return { ok: true, result: { outcome: "in", secret: opened.secret, known: opened.known, caller } };
}

/** What a caller asks about itself. */
export async function callerCommand(
  parts: DashboardCommandParts,
  signIn: SignIn,
  command: Of<"caller" | "prove" | "prove_passkey" | "sign_out">,
  { caller, by }: Readonly<{ caller: WebCaller; by: string }>,
): Promise<Reply> {
  const { item, digest, ip } = caller;
  switch (command.verb) {
    case "caller":
      return { ok: true, result: { caller: item } };
    case "sign_out":
      if (item.session === null || parts.sessions.end(item.session) === 0) return { ok: true, result: { done: true } };
      await parts.engine.audit({ type: "SESSION_ENDED", subject: item.session, by });
      return { ok: true, result: { done: true } };
    case "prove":
    case "prove_passkey": {
      if (item.session === null) return TOKENS_PROVE_NOTHING;
      const outcome = await signIn.prove({ ip, ...givenIn(command) }, digest);
      if (outcome === "proved") await parts.engine.audit({ type: "SESSION_PROVED", subject: item.session, by });
      return { ok: true, result: { outcome, caller: callerOf(parts, digest, true) ?? item } };
    }
  }
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
  { sessions, clock, engine }: DashboardCommandParts,
  command: Of<"session_list" | "session_end" | "session_end_all">,
  { caller, by }: Readonly<{ caller: WebCaller | null; by: string }>,
): Promise<Reply> {
  const ends = async (subject: string, ended: number): Promise<Reply> => {
    const recorded = await engine.audit({ type: "SESSION_ENDED", subject, by });
    return recorded ? { ok: true, result: { ended } } : UNRECORDED;
  };
  switch (command.verb) {
    case "session_list":
      return { ok: true, result: { sessions: sessions.list(clock.now()) } };
    case "session_end": {
      const ended = sessions.end(command.id);
      if (ended > 0) return ends(command.id, ended);
      const message = "There is no such session, or it has ended.";
      return { ok: false, kind: "failed", message, next: "`session list` shows the sessions." };
    }
    case "session_end_all": {
      const ended = sessions.end(null, caller?.item.session ?? undefined);
      return ends(`${plural(ended, "session")}${caller === null ? "" : ", all but its own"}`, ended);
    }
  }
}
