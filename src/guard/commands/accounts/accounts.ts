import type { CommandError, ParsedCommandOf, Reply, Verb } from "../../../admin/declare/control.ts";
import { isMailboxUser, isWebAdmin } from "../../../admin/declare/rights.ts";
import type { Change } from "../../../core/decide/decision.ts";
import type { Audit } from "../../../core/events/command.ts";
import type { AuditType } from "../../../core/events/event-types.ts";
import { type AccountName, type Address, domainOf, localPart } from "../../../core/net/address.ts";
import { asSentence } from "../../../core/text.ts";
import type { AccountLists, AccountStore, AliasStore, Keeper, MailKeyStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { AliasReach } from "../../mailbox-ports.ts";
import type { Clock, Failed, Outcome } from "../../ports.ts";
import { isHeld, notedCount } from "../queue/held.ts";
import { type HeldQueueParts, holdQueued, RESUMED } from "../queue/held-queue.ts";
import type { QueueUpkeep } from "../queue/queue-upkeep.ts";
import { type Rehearsal, recordFirst, recordThenChange, UNWRITTEN, uncertain } from "../record-first.ts";
import { failed, notDone, notServed, usage } from "../refusals.ts";
import type { RunOf } from "../run-of.ts";

export type AccountCommandParts = HeldQueueParts &
  AlertMailboxParts &
  Rehearsal &
  Readonly<{
    engine: Pick<Engine, "policy" | "audit">;
    accounts: AccountStore & AliasStore & MailKeyStore;
    reach: AliasReach;
    accountLists: EndingForwards;
    queue: Pick<QueueUpkeep, "holdLate">;
    keeper: Keeper;
    clock: Clock;
    /** Called right before the change of a command that had to wait. Returns why the change must no longer be made. */
    mayNoLonger?: () => CommandError | null;
  }>;

/** A key of the account would be created from the password and the owner's recovery key, which only root has. */
export const ON_SERVER = failed(
  "The password of an account with a key for its mail (mailboxes.encryption) is set only on the server.",
  "Use `account add` or `account passwd` on the server.",
);

type AccountVerb = keyof typeof ACCOUNT_AUDIT;
type AccountCommand = ParsedCommandOf<AccountVerb>;

/** Records a change of an account, carries it out, and closes the account's open sessions if it loses rights. */
export const accountCommand: RunOf<AccountVerb, AccountCommandParts> = async (parts, command, by) => {
  const { name } = command;
  const foreign = command.verb === "account_create_hashed" ? notServed(parts.engine, name) : null;
  if (foreign !== null) return foreign;
  const hides = command.verb === "account_remove" || command.verb === "account_suspend";
  if (hides && isWebAdmin(by) && getsAlerts(parts, name)) return alertsStay(name);
  if ("hash" in command && !isHash(command.hash)) return usage("The password must be hashed.", "Use `account passwd`.");
  const change = (): Removed | Failed =>
    removing(command.verb === "account_remove" ? parts.accountLists : null, name, () =>
      writeAccount(parts, command, name),
    );
  // Ends the sessions first, because no command can end them once the account is removed.
  const isRemoved = command.verb === "account_remove" && parts.isDry !== true && parts.rehearse(change).ok;
  const ended = isRemoved ? await parts.keeper.ask({ verb: "kick_account", account: name }) : null;
  if (ended?.ok === false) {
    const message = `The open sessions of ${name} were not ended, so it was not removed: ${ended.reason}`;
    return failed(message, "Try again once `status` shows the keeper and Dovecot running.");
  }
  const recorded = await recordFirst(parts, {
    change,
    before: parts.mayNoLonger,
    record: ({ forwards }) => record(parts, command, { subject: name, by }, forwards),
  });
  // Even on a full disk, root can lock out an account that was taken over.
  const isUrgent = recorded === UNWRITTEN && command.verb === "account_suspend" && !isWebAdmin(by);
  if (!recorded.ok && !isUrgent) return recorded;
  const urgent: Outcome = isUrgent ? change() : { ok: true };
  if (!urgent.ok) return notDone(urgent.reason);
  const shrinks = command.verb === "account_set_hash" || command.verb === "account_suspend";
  // In parallel, because a keeper that hangs costs up to 20 s, and the command line waits 30 s.
  const [stay, held] = await Promise.all([
    shrinks ? endSessions(parts, name, by) : null,
    command.verb === "account_suspend" ? holdMail(parts, name) : null,
  ]);
  if (stay !== null && held !== null) {
    const message = held.ok ? stay.message : `${asSentence(stay.message)} ${held.message}`;
    return { ...stay, message, next: "Suspend it again once `status` shows the keeper and Postfix." };
  }
  if (stay !== null) return stay;
  if (isUrgent) return suspendedUnrecorded(name);
  if (held !== null) return held;
  if (command.verb === "account_resume") {
    const { heldMail } = parts;
    return { ok: true, result: { name, held: notedCount(heldMail, name), isHeld: isHeld(heldMail, name) } };
  }
  if (command.verb === "account_remove" && recorded.ok)
    return { ok: true, result: { name, forwardsEnded: accountsOf(recorded.forwards) } };
  return { ok: true, result: { name } };
};

type EndingForwards = Pick<AccountLists, "forwardsEndedBy">;
/** Other accounts' forwards that end because their target is removed. */
type Forwards = ReturnType<AccountLists["forwardsEndedBy"]>;
type Removed = Readonly<{ ok: true; forwards: Forwards }>;

/** Makes the change, and finds the forwards that it ends. `accountLists` null: it removes no address. */
export function removing(
  accountLists: EndingForwards | null,
  address: Address,
  change: () => Outcome,
): Removed | Failed {
  const forwards = accountLists?.forwardsEndedBy(address) ?? [];
  const outcome = change();
  return outcome.ok ? { ok: true, forwards } : outcome;
}

export function auditsOf(forwards: Forwards, by: string): readonly Audit[] {
  return forwards.map(({ account, target }) => {
    const subject = `${account} no longer to ${target}, which is removed`;
    return { type: "FORWARDING_CHANGED", subject, account, by };
  });
}

export function accountsOf(forwards: Forwards): readonly string[] {
  return [...new Set(forwards.map(({ account }) => account))];
}

type SubjectAndActor = Readonly<{ subject: AccountName; by: string }>;

/** Records the command in one transaction. Returns false if the record could not be written. */
async function record(
  { engine }: AccountCommandParts,
  command: AccountCommand,
  named: SubjectAndActor,
  forwards: Forwards,
) {
  const hasKeys = "keys" in command && (command.keys ?? []).length > 0;
  const ofKeys = hasKeys && command.recovers === true ? "MAIL_KEYS_RECOVERED" : "MAIL_KEY_MADE";
  const recorded = await Promise.all([
    engine.audit({ type: ACCOUNT_AUDIT[command.verb], ...named }, passwordChange(command, named.subject)),
    ...(hasKeys ? [engine.audit({ type: ofKeys, ...named })] : []),
    ...auditsOf(forwards, named.by).map((audit) => engine.audit(audit)),
  ]);
  return recorded.every(Boolean);
}

/** `mail_keys_recover`. Open sessions end, because they do not have the keys. */
const recoverKeys: RunOf<"mail_keys_recover", AccountCommandParts> = async (parts, { name, hash, keys }, by) => {
  const opened = await recordThenChange(parts, {
    change: () => parts.accounts.openKeys(name, hash, keys),
    audit: { type: "MAIL_KEYS_RECOVERED", subject: name, by },
    result: { name },
  });
  return opened.ok ? ((await endSessions(parts, name, by)) ?? opened) : opened;
};

export const ACCOUNT_RUNS = {
  account_create_hashed: accountCommand,
  account_set_hash: accountCommand,
  account_remove: accountCommand,
  account_suspend: accountCommand,
  account_resume: accountCommand,
  mail_keys_recover: recoverKeys,
};

/** Lets the guard recognise the first sign-in with a new password by its hash, even while strangers guess. */
function passwordChange(command: AccountCommand, name: AccountName): readonly Change[] {
  if (command.verb === "account_suspend" || command.verb === "account_resume") return [];
  const passwordHash = "passwordHash" in command ? (command.passwordHash ?? "") : "";
  return [{ type: "SET_PASSWORD", account: name, passwordHash }];
}

/** Holds mail that the account has sent until it is released or deleted. Mail that cannot be held now is held later. */
async function holdMail(parts: AccountCommandParts, name: AccountName): Promise<Reply<"account_suspend">> {
  const outcome = await holdQueued(parts, name, new Set());
  parts.queue.holdLate(name, outcome.ok ? outcome.all : []);
  if (outcome.ok) return { ok: true, result: { name, held: outcome.held } };
  if (outcome === RESUMED) {
    const resumed = `${name} was resumed while its mail was being put on hold; some of it may be on hold.`;
    return uncertain(resumed, `\`account held ${name}\` shows it, \`account release ${name}\` sends it.`);
  }
  const message = `${name} is suspended, but its mail in the queue was not held: ${outcome.reason}`;
  return uncertain(message, "Suspend it again once `status` shows the keeper and Postfix.");
}

function suspendedUnrecorded(name: AccountName): CommandError {
  const message = `${name} is suspended, but the database could not be written, so it was not recorded.`;
  return uncertain(message, "Suspend it again once `status` reports the database as healthy.");
}

const ACCOUNT_AUDIT = {
  account_create_hashed: "ACCOUNT_ADDED",
  account_remove: "ACCOUNT_REMOVED",
  account_set_hash: "PASSWORD_CHANGED",
  account_suspend: "ACCOUNT_SUSPENDED",
  account_resume: "ACCOUNT_RESUMED",
} as const satisfies Partial<Record<Verb, AuditType>>;

function writeAccount({ accounts, clock }: AccountCommandParts, command: AccountCommand, name: AccountName): Outcome {
  switch (command.verb) {
    case "account_create_hashed":
      return accounts.add(name, command.hash, clock.now(), command.keys);
    case "account_set_hash":
      return accounts.setPassword(name, command.hash, command.keys);
    case "account_remove":
      return accounts.remove(name);
    case "account_suspend":
      return accounts.setSuspended(name, true);
    case "account_resume":
      return accounts.setSuspended(name, false);
  }
}

/** A hash with its scheme, as Dovecot reads it. */
export function isHash(text: string): boolean {
  return /^\{[A-Za-z0-9-]+(?:\.[A-Za-z0-9]+)?\}[\x21-\x7e][\x20-\x7e]*$/.test(text);
}

type KickParts = Pick<AccountCommandParts, "keeper">;

/** Returns null once the sessions have ended. Never throws. */
export async function endSessions({ keeper }: KickParts, account: string, by: string): Promise<CommandError | null> {
  const reply = await keeper.ask({ verb: "kick_account", account });
  if (reply.ok) return null;
  const message = `${account} is changed, but its open sessions were not ended`;
  if (isMailboxUser(by)) return uncertain(`${message}.`, "Ask the administrator of this server to end them.");
  const next =
    "Once `status` shows the keeper, `account suspend` ends them. Then `account resume` lets the account sign in again.";
  return uncertain(`${message}: ${reply.reason}`, next);
}

type AlertMailboxParts = Readonly<{
  reach: Pick<AliasReach, "onward">;
  /** The addresses to which alerts are mailed. */
  alertsTo: () => readonly string[];
}>;

/** Alerts go to postmaster@ while the settings name no channel, so diverting its mail would hide further alerts. */
export function isPostmaster(address: Address): boolean {
  return localPart(address) === "postmaster";
}

/**
 * Whether alerts reach this address, directly or through aliases and forwards. An attacker who takes over the web must not hide them
 * from the owner.
 */
export function getsAlerts(parts: AlertMailboxParts, address: Address): boolean {
  return reachedByAlerts(parts).includes(address);
}

/**
 * Whether a new account or alias with this name would take over alerts that another account gets, or its mail for postmaster@ or abuse@ as
 * the account in accounts.administrator.
 */
export function takesAlerts(parts: AccountCommandParts, address: Address): boolean {
  const { accounts, reach } = parts;
  if (isPostmaster(address)) return true;
  if (accounts.isAddress(address)) return false;
  return address === reach.administrator() || (getsAlerts(parts, address) && reach.onward(address).length > 1);
}

/** The addresses on other servers to which alerts go. */
export function alertsOutside(parts: AlertMailboxParts & Pick<AccountCommandParts, "engine">): readonly string[] {
  return reachedByAlerts(parts).filter((address) => !parts.engine.policy.domains.includes(domainOf(address)));
}

function reachedByAlerts({ alertsTo, reach }: AlertMailboxParts): readonly string[] {
  return alertsTo().flatMap((to) => reach.onward(to));
}

export function alertsStay(address: Address): CommandError {
  const message = `${address} gets the alerts of this server: it can be changed only on the server.`;
  return failed(message, "Use the command line there, or ask the administrator.");
}
