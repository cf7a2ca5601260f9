import type { CommandError, OrderOf } from "../../../admin/declare/control.ts";
import { isMailboxUser, isRootUser, isWebAdmin } from "../../../admin/declare/rights.ts";
import type { AuditType } from "../../../core/events/event-types.ts";
import { type Address, domainOf, parseAddress, withoutExtension } from "../../../core/net/address.ts";
import { plural } from "../../../core/text.ts";
import type { ForwardStore } from "../../mailbox-ports.ts";
import type { Outcome } from "../../ports.ts";
import { recordThenChange } from "../record-first.ts";
import { failed, notServed, type RunOf } from "../refusals.ts";
import { type OutsideTargetParts, tooManyTargets } from "../web/web-targets.ts";
import { type AccountCommandParts, alertsOutside, alertsStay, getsAlerts, isPostmaster } from "./accounts.ts";

/** Postfix's default virtual_alias_expansion_limit: mail beyond it would be retried forever. */
const MOST_REACHED = 1_000;

type AliasVerb = "alias_add" | "alias_remove" | "alias_block";
type AliasCommand = OrderOf<AliasVerb>;

export type AliasCommandParts = AccountCommandParts &
  OutsideTargetParts &
  Readonly<{ forwards: Pick<ForwardStore, "spendTargets"> }>;

/** Records a change of an alias, and carries it out. */
export const aliasCommand: RunOf<AliasVerb, AliasCommandParts> = async (parts, command, by) => {
  const { address } = command;
  const foreign = notServed(parts.engine, address);
  if (foreign !== null) return foreign;
  const beyond = isWebAdmin(by) && command.verb === "alias_add" ? tooManyTargets(parts, command) : null;
  if (beyond !== null) return beyond;
  const reserved = isWebAdmin(by) ? notFromWeb(parts, command, address) : null;
  if (reserved !== null) return reserved;
  const nobody = command.verb === "alias_add" ? leadsNowhere(parts, command) : null;
  if (nobody !== null) return nobody;
  const write = () => writeAlias(parts, command);
  const refused =
    command.verb === "alias_add" ? parts.rehearse(() => refusalAfterChange(parts, write, { address, by })) : null;
  if (refused !== null) return refused;
  const named = { type: aliasAudit(command), subject: address, by };
  return recordThenChange(parts, {
    change: write,
    audit: command.verb === "alias_add" ? { ...named, targets: command.targets } : named,
    result: { address },
    refused: (reason) => failed(reason, "`alias list` shows the aliases."),
  });
};

function writeAlias({ accounts }: AccountCommandParts, command: AliasCommand): Outcome {
  switch (command.verb) {
    case "alias_add":
      return accounts.addAlias(command.address, command.targets);
    case "alias_remove":
      return accounts.removeAlias(command.address);
    case "alias_block":
      return accounts.setAliasBlocked(command.address, command.blocked);
  }
}

/**
 * Makes the change, to see where mail would go afterwards, so call it within a rehearsal. Null: the change may be made, or it fails
 * anyway with its own reason.
 */
export function refusalAfterChange(
  parts: Pick<AccountCommandParts, "reach" | "alertsTo" | "engine">,
  change: () => Outcome,
  { address, by }: Readonly<{ address: Address; by: string }>,
): CommandError | null {
  const before = alertsOutside(parts);
  if (!change().ok) return null;
  const isLeak = alertsOutside(parts).some((one) => !before.includes(one));
  // Whoever has the password of a mailbox, or has taken over the web, would learn what the owner is warned of.
  return isLeak && !isRootUser(by) ? alertsStay(address) : tooWide(parts, address, by);
}

/** Null: Postfix delivers it. */
function tooWide({ reach }: Pick<AccountCommandParts, "reach">, address: Address, by: string): CommandError | null {
  const { alias, addresses } = reach.widest(address);
  if (addresses <= MOST_REACHED) return null;
  // It may be an address that its users do not know.
  if (isMailboxUser(by)) return failed("Your mail would go to too many addresses.", "Give fewer addresses.");
  const message = `Mail for ${alias} would go to ${plural(addresses, "address", "addresses")}: Postfix takes none for more than ${MOST_REACHED}.`;
  return failed(message, "`alias list` shows the aliases.");
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

/** The web touches neither an alias that gets alerts nor the extension of an account: Postfix would look that up first, and divert its mail. */
function notFromWeb(parts: AccountCommandParts, { verb }: AliasCommand, address: Address): CommandError | null {
  const plain = parseAddress(withoutExtension(address));
  const takes = verb === "alias_add" && plain !== null && plain !== address && parts.accounts.isAddress(plain);
  if (isPostmaster(address) || (verb !== "alias_add" && getsAlerts(parts, address))) return alertsStay(address);
  if (!takes) return null;
  return failed(`${address} belongs to ${plain}: create such an alias on the server.`, "Use `alias add` there.");
}

export const WHO_IS_THERE = "`account list` and `alias list` show the addresses.";

/** Mail accepted for such an alias would bounce to the envelope sender, which may be forged. */
function leadsNowhere(parts: AccountCommandParts, { address, targets }: OrderOf<"alias_add">): CommandError | null {
  for (const target of targets) {
    const message = wrongTarget(parts, address, target);
    if (message !== null) return failed(message, WHO_IS_THERE);
  }
  return null;
}

/** Returns why the mail of the address cannot go to the target, or null. */
export function wrongTarget(
  { accounts, engine }: Pick<AccountCommandParts, "accounts" | "engine">,
  address: Address,
  target: Address,
): string | null {
  if (engine.policy.domains.includes(domainOf(target)) && !accounts.isAddress(target) && target !== address)
    return `${target} is neither an account nor an alias here.`;
  return accounts.leadsTo(target, address) ? `Mail for ${address} would return to it through ${target}.` : null;
}
