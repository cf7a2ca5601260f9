import { parseScopes, printScopes, SCOPES } from "../../../core/access/scopes.ts";
import { isoTime, later, type Millis, parseDuration } from "../../../core/time.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import type { CountedPage, PageRequest } from "../../../wire/control/paging.ts";
import type { TokenItem } from "../../../wire/verbs/access.ts";
import type { CredentialStore, NewToken } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock } from "../../ports.ts";
import { UNRECORDED, UNWRITTEN } from "../unrecorded.ts";

/** Who may administer the server. */
export type CredentialCommandParts = Readonly<{
  credentials: CredentialStore;
  /** Ordered by name. */
  tokens: (asked: PageRequest) => CountedPage<TokenItem>;
  engine: Pick<Engine, "audit">;
  clock: Clock;
}>;

export type TokenCommandParts = Pick<CredentialCommandParts, "engine" | "clock"> &
  Readonly<{ credentials: Pick<CredentialStore, "createToken" | "revokeToken"> }>;

type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;

export function tokenList({ tokens }: Pick<CredentialCommandParts, "tokens">, asked: PageRequest): Reply<"token_list"> {
  return { ok: true, result: tokens(asked) };
}

export async function tokenCommand(
  { credentials, engine, clock }: TokenCommandParts,
  command: Of<"token_create" | "token_revoke">,
  by: string,
): Promise<Reply> {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(command.name))
    return {
      ok: false,
      kind: "usage",
      message: "A token's name is 1 to 64 letters, digits, dots or dashes.",
      next: "",
    };
  const creating = command.verb === "token_create";
  const wanted = creating ? newToken(command, by, clock.now()) : null;
  if (wanted !== null && "ok" in wanted) return wanted;
  const outcome = wanted !== null ? credentials.createToken(wanted) : credentials.revokeToken(command.name);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`token list` shows the tokens." };
  const type = creating ? "TOKEN_CREATED" : "TOKEN_REVOKED";
  const grants = wanted === null ? {} : { grants: grantsOf(wanted) };
  const recorded = await engine.audit({ type, subject: command.name, by, ...grants });
  if (recorded) return { ok: true, result: { name: command.name } };
  // A token that no one learns of must not stay; a revoked one stays revoked.
  if (!creating) return UNRECORDED;
  credentials.revokeToken(command.name);
  return UNWRITTEN;
}

function newToken({ name, digest, scopes: listed, for: lasts }: Of<"token_create">, by: string, at: Millis) {
  const usage = (message: string): CommandError => ({ ok: false, kind: "usage", message, next: "" });
  if (!/^[0-9a-f]{64}$/.test(digest)) return usage("A token comes as its SHA-256 in hexadecimal.");
  const scopes = parseScopes(listed.join(","));
  if (scopes === null) return usage(`A token has one or more of the scopes ${SCOPES.join(", ")}.`);
  const durationMs = lasts === null ? null : parseDuration(lasts);
  if (lasts !== null && (durationMs === null || durationMs === 0))
    return usage(`"${lasts}" is not a duration, such as 90d.`);
  return { name, digest, scopes, by, at, expiresAt: durationMs === null ? null : later(at, durationMs) };
}

function grantsOf({ scopes, expiresAt }: Pick<NewToken, "scopes" | "expiresAt">): string {
  return `${printScopes(scopes)}, ${expiresAt === null ? "without an end" : `until ${isoTime(expiresAt)}`}`;
}

export async function adminPassword(
  { credentials, engine }: CredentialCommandParts,
  hash: string,
  by: string,
): Promise<Reply> {
  if (!/^\{ARGON2ID\}[\x21-\x7e]+$/.test(hash))
    return { ok: false, kind: "usage", message: "The password must come hashed.", next: "Use `admin passwd`." };
  credentials.setAdminPassword(hash);
  const recorded = await engine.audit({ type: "ADMIN_PASSWORD_CHANGED", subject: "admin", by });
  return recorded ? { ok: true, result: { done: true } } : UNRECORDED;
}
