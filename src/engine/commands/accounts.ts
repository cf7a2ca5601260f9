import type { Change } from "../../core/decide/decision.ts";
import type { AuditType } from "../../core/events/audit-types.ts";
import {
  type AccountName,
  type Address,
  domainOf,
  localPart,
  parseAccountName,
  parseAddress,
  withoutExtension,
} from "../../core/net/address.ts";
import type { Command, CommandError, Reply, Verb } from "../../wire/control/control.ts";
import type { AccountStore, AliasStore, Keeper, MailKeyStore } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import type { Clock, Notices, Outcome } from "../ports.ts";
import { type HeldQueueParts, holdQueued } from "./held-queue.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type AccountCommandParts = HeldQueueParts &
  Readonly<{
    engine: Engine;
    accounts: AccountStore & AliasStore & MailKeyStore;
    keeper: Keeper;
    notices: Notices;
    clock: Clock;
  }>;

export type AccountCommand = Extract<
  Command,
  { readonly verb: "account_add" | "account_passwd" | "account_remove" | "account_suspend" | "account_resume" }
>;
export type AliasCommand = Extract<Command, { readonly verb: "alias_add" | "alias_remove" | "alias_block" }>;

/** Changes an account, records the change, and closes its open sessions if its rights shrank. */
export async function accountCommand(
  parts: AccountCommandParts,
  command: AccountCommand,
  by: string,
): Promise<Reply<AccountCommand["verb"]>> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const foreign = command.verb === "account_add" ? notServed(parts.engine, name) : null;
  if (foreign !== null) return foreign;
  if ("hash" in command && !isHash(command.hash))
    return { ok: false, kind: "usage", message: "The password must come hashed.", next: "Use `account passwd`." };
  const outcome = writeAccount(parts, command, name);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`account list` shows the accounts." };
  const audit = { type: ACCOUNT_AUDIT[command.verb], subject: name, by };
  const recorded = await parts.engine.audit(audit, passwordChange(command, name));
  const keysRecorded = await recordKeys(parts, command, { subject: name, by });
  const shrinks = command.verb !== "account_add" && command.verb !== "account_resume";
  const ended: Outcome = shrinks ? await endSessions(parts, name) : { ok: true };
  if (!ended.ok) return sessionsStay(name, ended.reason);
  if (!recorded || !keysRecorded) return UNRECORDED;
  if (command.verb === "account_suspend") return holdMail(parts, name);
  if (command.verb === "account_resume") return { ok: true, result: { name, held: parts.heldMail.held(name).length } };
  return { ok: true, result: { name } };
}

/** False: the database took no record. */
async function recordKeys(
  { engine }: AccountCommandParts,
  command: AccountCommand,
  named: Readonly<{ subject: AccountName; by: string }>,
): Promise<boolean> {
  if (!("keys" in command) || (command.keys ?? []).length === 0) return true;
  return engine.audit({ type: command.recovers === true ? "MAIL_KEYS_RECOVERED" : "MAIL_KEY_MADE", ...named });
}

/** `mail_keys_recover`: open sessions end, for they would not have the keys. */
export async function recoverKeys(
  parts: AccountCommandParts,
  command: Extract<Command, { readonly verb: "mail_keys_recover" }>,
  by: string,
): Promise<Reply<"mail_keys_recover">> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const outcome = parts.accounts.openKeys(name, command.hash, command.keys);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`account list` shows the accounts." };
  const recorded = await parts.engine.audit({ type: "MAIL_KEYS_RECOVERED", subject: name, by });
  const ended = await endSessions(parts, name);
  if (!ended.ok) return sessionsStay(name, ended.reason);
  return recorded ? { ok: true, result: { name } } : UNRECORDED;
}

/** By its hash the guard recognises the first sign-in with a new password, also while strangers guess. */
function passwordChange(command: AccountCommand, name: AccountName): readonly Change[] {
  if (command.verb === "account_suspend" || command.verb === "account_resume") return [];
  const proof = "proof" in command ? (command.proof ?? "") : "";
  return [{ type: "SET_PASSWORD", account: name.toLowerCase(), proof }];
}

/** What the account has sent waits until it is released or deleted. */
async function holdMail(parts: AccountCommandParts, name: AccountName): Promise<Reply<"account_suspend">> {
  const outcome = await holdQueued(parts, name);
  if (outcome.ok) return { ok: true, result: { name, held: outcome.held } };
  const message = `${name} is suspended, but its mail in the queue goes on: ${outcome.reason}`;
  return { ok: false, kind: "failed", message, next: "Suspend it again once `status` shows the keeper and Postfix." };
}

export async function aliasCommand(
  parts: AccountCommandParts,
  command: AliasCommand,
  by: string,
): Promise<Reply<AliasCommand["verb"]>> {
  const address = parseAddress(command.address);
  if (address === null) return wrongAddress(command.address);
  const foreign = notServed(parts.engine, address);
  if (foreign !== null) return foreign;
  const reserved = by.startsWith("web:") ? notFromWeb(parts, command, address) : null;
  if (reserved !== null) return reserved;
  const nobody = command.verb === "alias_add" ? leadsNowhere(parts, command, address) : null;
  if (nobody !== null) return nobody;
  const outcome = writeAlias(parts, command, address);
  if (outcome === null) return wrongAddress(command.verb === "alias_add" ? command.targets.join(", ") : "");
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`alias list` shows the aliases." };
  const named = { type: aliasAudit(command), subject: address, by };
  const audit = command.verb === "alias_add" ? { ...named, targets: command.targets } : named;
  const recorded = await parts.engine.audit(audit);
  return recorded ? { ok: true, result: { address } } : UNRECORDED;
}

const ACCOUNT_AUDIT = {
  account_add: "ACCOUNT_ADDED",
  account_remove: "ACCOUNT_REMOVED",
  account_passwd: "PASSWORD_CHANGED",
  account_suspend: "ACCOUNT_SUSPENDED",
  account_resume: "ACCOUNT_RESUMED",
} as const satisfies Partial<Record<Verb, AuditType>>;

function writeAccount({ accounts, clock }: AccountCommandParts, command: AccountCommand, name: AccountName): Outcome {
  switch (command.verb) {
    case "account_add":
      return accounts.add(name, command.hash, clock.now(), command.keys);
    case "account_passwd":
      return accounts.setPassword(name, command.hash, command.keys);
    case "account_remove":
      return accounts.remove(name);
    case "account_suspend":
      return accounts.setSuspended(name, true);
    case "account_resume":
      return accounts.setSuspended(name, false);
  }
}

/** Alerts go to postmaster@ while the settings name no channel: who diverts it hides what comes next. */
export function isPostmaster(address: Address): boolean {
  return localPart(address).toLowerCase() === "postmaster";
}

/** Postfix looks up an address with its extension first: such an alias would take mail of an account. */
function notFromWeb({ accounts }: AccountCommandParts, { verb }: AliasCommand, address: Address): CommandError | null {
  const plain = parseAddress(withoutExtension(address));
  const takes = verb === "alias_add" && plain !== null && plain !== address && accounts.isAddress(plain);
  const message = isPostmaster(address)
    ? `${address} gets the alerts of this server: it is changed on the server alone.`
    : takes
      ? `${address} belongs to ${plain}: such an alias is made on the server alone.`
      : null;
  return message === null ? null : { ok: false, kind: "failed", message, next: "Use `alias add` and the like there." };
}

/** Mail accepted for such an alias would bounce to the envelope sender, which may be forged. */
function leadsNowhere(
  { accounts, engine }: AccountCommandParts,
  command: Extract<AliasCommand, { readonly verb: "alias_add" }>,
  address: Address,
): CommandError | null {
  for (const target of command.targets.map(parseAddress).filter((parsed) => parsed !== null)) {
    const message =
      engine.policy.domains.includes(domainOf(target)) && !accounts.isAddress(target) && target !== address
        ? `${target} is neither an account nor an alias here.`
        : accounts.leadsTo(target, address)
          ? `Mail for ${address} would come back to it by way of ${target}.`
          : null;
    if (message !== null)
      return { ok: false, kind: "failed", message, next: "`account list` and `alias list` show who is there." };
  }
  return null;
}

function aliasAudit(command: AliasCommand): AuditType {
  switch (command.verb) {
    case "alias_add":
      return "ALIAS_ADDED";
    case "alias_remove":
      return "ALIAS_REMOVED";
    case "alias_block":
      return command.blocked ? "ALIAS_BLOCKED" : "ALIAS_UNBLOCKED";
  }
}

/** A hash with its scheme, as Dovecot reads it. */
export function isHash(text: string): boolean {
  return /^\{[A-Za-z0-9-]+(?:\.[A-Za-z0-9]+)?\}[\x21-\x7e][\x20-\x7e]*$/.test(text);
}

/** Null: a target is not an address. */
function writeAlias({ accounts, clock }: AccountCommandParts, command: AliasCommand, address: Address): Outcome | null {
  switch (command.verb) {
    case "alias_add": {
      const targets = command.targets.map(parseAddress).filter((target) => target !== null);
      if (targets.length === 0 || targets.length < command.targets.length) return null;
      return accounts.addAlias(address, targets, clock.now());
    }
    case "alias_remove":
      return accounts.removeAlias(address);
    case "alias_block":
      return accounts.setAliasBlocked(address, command.blocked);
  }
}

/** Never throws. If the keeper does not answer, a notice is raised and the command fails. */
export async function endSessions(
  { keeper, notices }: Pick<AccountCommandParts, "keeper" | "notices">,
  account: string,
): Promise<Outcome> {
  const reply = await keeper.ask({ verb: "kick_account", account });
  if (reply.ok) notices.clear("keeper_unreachable");
  else notices.raise("keeper_unreachable", reply.reason);
  return reply.ok ? { ok: true } : reply;
}

export function sessionsStay(account: string, reason: string): CommandError {
  return {
    ok: false,
    kind: "failed",
    message: `${account} is changed, but its open sessions go on: ${reason}`,
    next: "Suspend the account once `status` shows the keeper: that ends them.",
  };
}

function notServed(engine: Engine, address: Address): CommandError | null {
  const { domains } = engine.policy;
  if (domains.includes(domainOf(address))) return null;
  const message = `${domainOf(address)} is not a mail domain of this server (${domains.join(", ")}).`;
  return { ok: false, kind: "failed", message, next: "Add it to `domains` in ghostinbox.toml, then `config apply`." };
}
