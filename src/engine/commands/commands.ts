import { messageOf } from "../../core/error.ts";
import { plural } from "../../core/text.ts";
import type { Command, CommandLine, Origin, Reply } from "../../wire/control/control.ts";
import type { Health } from "../../wire/control/items.ts";
import type { AuthorLists, CredentialStore } from "../admin-ports.ts";
import { breakGlass, type GlassBroken } from "../enforce/break-glass.ts";
import type { Outcome } from "../ports.ts";
import { accountCommand, aliasCommand } from "./accounts.ts";
import { type AlertCommandParts, alertsList, alertsTest } from "./alerts.ts";
import { allowAdd, allowList, allowRemove, type BanCommandParts, ban, cleanup, protection, unban } from "./bans.ts";
import { type FileCommandParts, fileCommand } from "./files.ts";
import { type GreylistCommandParts, greylistList, greylistPause, greylistResume } from "./greylist.ts";
import { heldCommand } from "./held.ts";
import type { HeldQueueParts } from "./held-queue.ts";
import { type NetworkCommandParts, networkCommand } from "./networks.ts";
import { queueCommand } from "./queue.ts";
import { quotaCommand } from "./quota.ts";
import { type SpamCommandParts, spamAllow, spamAllowList } from "./spam.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { CommandGate } from "./web.ts";

export type CommandParts = BanCommandParts &
  FileCommandParts &
  HeldQueueParts &
  NetworkCommandParts &
  GreylistCommandParts &
  SpamCommandParts &
  AlertCommandParts &
  Readonly<{
    credentials: CredentialStore;
    /** Refreshed at once, so that a new address can send as soon as the command ends. */
    authors: AuthorLists;
    health: () => Promise<Health>;
    /** Reloads the settings and returns the names of changed ones. */
    reload: () => Readonly<{ ok: true; changed: readonly string[] }> | Extract<Outcome, { ok: false }>;
    /** What a reload would change. */
    pending: () => ReturnType<CommandParts["reload"]>;
    pid: number;
  }>;

/** Every command of the control socket. The server itself handles the stream that `watch` starts. */
export function createCommands(parts: CommandParts) {
  const gate = new CommandGate(parts);
  return async (line: CommandLine, origin: Origin): Promise<Reply> => {
    const { command } = line;
    try {
      const reply = gate.refuses(line, origin) ?? (await run(parts, gate, line));
      refresh(parts.authors);
      return reply;
    } catch (error) {
      const why = messageOf(error);
      return {
        ok: false,
        kind: "failed",
        message: `It could not be done: ${why}`,
        next: command.verb === "health" ? "See its log below log/guard." : "`status` shows what is wrong.",
      };
    }
  };
}

/** A failed write does not undo the command. It is retried each second and reported there. */
function refresh(authors: AuthorLists): void {
  try {
    authors.refresh();
  } catch {}
}

function run(parts: CommandParts, gate: CommandGate, { command, by }: CommandLine): Promise<Reply> | Reply {
  switch (command.verb) {
    case "ping":
      return { ok: true, result: { pid: parts.pid } };
    case "health":
      return parts.health().then((result) => ({ ok: true, result }));
    case "ban":
      return ban(parts, command, by);
    case "unban":
      return unban(parts, command, by);
    case "break_glass":
      return breakGlass(parts, by).then(brokenGlass);
    case "allow_add":
      return allowAdd(parts, command, by);
    case "allow_remove":
      return allowRemove(parts, command, by);
    case "allow_list":
      return allowList(parts, command);
    case "protection":
      return protection(parts, command);
    case "cleanup":
      return cleanup(parts);
    case "account_add":
    case "account_passwd":
    case "account_remove":
    case "account_suspend":
    case "account_resume":
      return accountCommand(parts, command, by);
    case "held_list":
    case "held_release":
    case "held_drop":
      return heldCommand(parts, command, by);
    case "queue_list":
    case "queue_hold":
    case "queue_release":
    case "queue_delete":
    case "queue_flush":
      return queueCommand(parts, command, by);
    case "accounts_import":
    case "accounts_follow":
      return fileCommand(parts, command, by);
    case "networks_add":
    case "networks_remove":
      return networkCommand(parts, command, by);
    case "quota_set":
      return quotaCommand(parts, command, by);
    case "alias_add":
    case "alias_remove":
    case "alias_block":
      return aliasCommand(parts, command, by);
    case "greylist_pause":
      return greylistPause(parts, command, by);
    case "greylist_resume":
      return greylistResume(parts, command, by);
    case "greylist_list":
      return greylistList(parts, command);
    case "spam_allow_add":
    case "spam_allow_remove":
      return spamAllow(parts, command, by);
    case "spam_allow_list":
      return spamAllowList(parts, command);
    case "alerts_test":
      return alertsTest(parts);
    case "alerts_list":
      return alertsList(parts, command);
    case "token_create":
    case "token_revoke":
      return tokenCommand(parts, command, by);
    case "admin_passwd":
      return adminPassword(parts, command.hash, by);
    case "reload":
      return reload(parts, by);
    case "pending":
      return pending(parts);
    case "dashboard_ask":
    case "dashboard_login":
      return gate.login(command);
    case "admin_seen":
      return gate.seen(command.ip);
    case "watch":
      return { ok: true, result: { lastEventId: parts.engine.lastEventId } };
  }
}

function brokenGlass({ lifted, left }: GlassBroken): Reply<"break_glass"> {
  if (left === 0) return { ok: true, result: { lifted } };
  const message = `${plural(left, "ban")} could not be lifted: the database takes no writes.`;
  return { ok: false, kind: "failed", message, next: "`status` shows what is wrong." };
}

type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;

async function tokenCommand(
  { credentials, engine, clock }: CommandParts,
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
  const outcome = creating
    ? credentials.createToken(command.name, command.digest, by, clock.now())
    : credentials.revokeToken(command.name);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`token list` shows the tokens." };
  const type = creating ? "TOKEN_CREATED" : "TOKEN_REVOKED";
  const recorded = await engine.audit({ type, subject: command.name, by });
  return recorded ? { ok: true, result: { name: command.name } } : UNRECORDED;
}

async function adminPassword({ credentials, engine }: CommandParts, hash: string, by: string): Promise<Reply> {
  if (!/^\{ARGON2ID\}[\x21-\x7e]+$/.test(hash))
    return { ok: false, kind: "usage", message: "The password must come hashed.", next: "Use `admin passwd`." };
  credentials.setAdminPassword(hash);
  const recorded = await engine.audit({ type: "ADMIN_PASSWORD_CHANGED", subject: "admin", by });
  return recorded ? { ok: true, result: { done: true } } : UNRECORDED;
}

function pending({ pending: readSettings }: CommandParts): Reply {
  const outcome = readSettings();
  return outcome.ok ? { ok: true, result: { changed: outcome.changed } } : unreadable(outcome.reason);
}

function unreadable(message: string): Reply {
  return { ok: false, kind: "failed", message, next: "`config check` lists every problem." };
}

async function reload({ reload: readSettings, engine }: CommandParts, by: string): Promise<Reply> {
  const outcome = readSettings();
  if (!outcome.ok) return unreadable(outcome.reason);
  const subject = outcome.changed.join(", ") || "nothing changed";
  const recorded = await engine.audit({ type: "SETTINGS_APPLIED", subject, by });
  // The settings are in force either way, and the caller must know which: it restarts programs with them.
  return { ok: true, result: { changed: outcome.changed, recorded } };
}
