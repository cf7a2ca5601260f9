import type { CommandError } from "../../../admin/declare/control.ts";
import { isMailboxUser, isRootUser, isWebAdmin } from "../../../admin/declare/rights.ts";
import { type Address, domainOf, parseAddress, withoutExtension } from "../../../core/net/address.ts";
import { plural } from "../../../core/text.ts";
import { recordAll, recordFirst, recordThenChange } from "../record-first.ts";
import { failed, notServed, usage } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { type AddAlias, refusesTargets, type SpendingParts } from "../web/web-targets.ts";
import {
  type AccountCommandParts,
  accountsOf,
  alertsOutside,
  alertsStay,
  auditsOf,
  getsAlerts,
  isPostmaster,
  removing,
  takesAlerts,
} from "./accounts.ts";

/** Postfix's default virtual_alias_expansion_limit: mail beyond it would be retried forever. */
const MOST_REACHED = 1_000;
/** With other characters, Dovecot looks up no quota (auth_username_chars), spamd looks up no list of senders, and a shell may run them. */
const NEW_ALIAS = /^[a-z0-9._+-]+@/;

export const ALIAS_RUNS = {
  alias_add: async (parts, command, by) => {
    const { address, targets } = command;
    const refused =
      notServed(parts.engine, address) ??
      oddAlias(parts, address) ??
      (isWebAdmin(by) ? (refusesTargets(parts, command) ?? notFromWeb(parts, address)) : null) ??
      wrongTargets(parts, command);
    if (refused !== null) return refused;
    const added = await recordFirst(parts, {
      change: () => parts.accounts.addAlias(address, targets),
      check: checkOfTargets(parts, { address, wrong: () => wrongTargets(parts, command), by }),
      record: () => parts.engine.audit({ type: "ALIAS_ADDED", subject: address, by, targets }),
      refused: noSuchAlias,
    });
    return added.ok ? { ok: true, result: added.alias } : added;
  },
  alias_remove: async (parts, { address }, by) => {
    if (isWebAdmin(by) && hidesAlerts(parts, address)) return alertsStay(address);
    const removed = await recordFirst(parts, {
      change: () => removing(parts.accountLists, address, () => parts.accounts.removeAlias(address)),
      record: ({ forwards }) =>
        recordAll(parts.engine, [{ type: "ALIAS_REMOVED", subject: address, by }, ...auditsOf(forwards, by)]),
      refused: noSuchAlias,
    });
    return removed.ok ? { ok: true, result: { address, forwardsEnded: accountsOf(removed.forwards) } } : removed;
  },
  alias_block: async (parts, { address, blocked }, by) => {
    if (isWebAdmin(by) && hidesAlerts(parts, address)) return alertsStay(address);
    return recordThenChange(parts, {
      change: () => parts.accounts.setAliasBlocked(address, blocked),
      audit: { type: blocked ? "ALIAS_BLOCKED" : "ALIAS_UNBLOCKED", subject: address, by },
      result: { address },
      refused: noSuchAlias,
    });
  },
  alias_list: ({ accountLists }, asked) => ({ ok: true, result: accountLists.aliases(asked) }),
} satisfies RunsOf<AccountCommandParts & SpendingParts>;

/** Refuses odd names only for new aliases. An existing one may get further targets, because it could not be created again. */
function oddAlias({ accounts }: AccountCommandParts, address: Address): CommandError | null {
  if (NEW_ALIAS.test(address) || accounts.isAddress(address)) return null;
  return usage(`${address} may have only letters, digits and . _ + - before the @.`, "Choose another alias.");
}

function hidesAlerts(parts: AccountCommandParts, address: Address): boolean {
  return isPostmaster(address) || getsAlerts(parts, address);
}

function noSuchAlias(reason: string): CommandError {
  return failed(reason, "`alias list` shows the aliases.");
}

/**
 * Returns the `check` of `recordFirst`. It refuses a change that would send alerts to a new address outside, or mail to too many
 * addresses. `wrong`: why a target cannot be used; it is called again, because another change may have removed a target or closed a loop.
 */
export function checkOfTargets(
  parts: Pick<AccountCommandParts, "reach" | "alertsTo" | "engine">,
  { address, wrong, by }: Readonly<{ address: Address; wrong: () => CommandError | null; by: string }>,
): () => CommandError | null {
  const before = alertsOutside(parts);
  return () => {
    const isLeak = alertsOutside(parts).some((one) => !before.includes(one));
    const refused = wrong();
    if (refused !== null) return refused;
    // Otherwise an attacker with the password of a mailbox, or who has taken over the web, could read the owner's alerts.
    return isLeak && !isRootUser(by) ? alertsStay(address) : tooWide(parts, address, by);
  };
}

/** Null if Postfix would deliver the mail. */
function tooWide({ reach }: Pick<AccountCommandParts, "reach">, address: Address, by: string): CommandError | null {
  const { alias, addresses } = reach.widest(address);
  if (addresses <= MOST_REACHED) return null;
  // The alias may be an address that mailbox users must not learn.
  if (isMailboxUser(by)) return failed("Your mail would go to too many addresses.", "Give fewer addresses.");
  const message = `Mail for ${alias} would go to ${plural(addresses, "address")}: Postfix accepts no mail for more than ${MOST_REACHED}.`;
  return failed(message, "`alias list` shows the aliases.");
}

/**
 * The web adds no alias that takes over alerts, and none for the extension of an account, because Postfix would look up the alias first
 * and divert the account's mail. For other aliases that get alerts, see `checkOfTargets`.
 */
function notFromWeb(parts: AccountCommandParts, address: Address): CommandError | null {
  const plain = parseAddress(withoutExtension(address)) ?? address;
  if (takesAlerts(parts, plain)) return alertsStay(address);
  if (plain === address || !parts.accounts.isAddress(plain)) return null;
  return failed(`${address} belongs to ${plain}: create such an alias on the server.`, "Use `alias add` there.");
}

export const WHO_IS_THERE = "`account list` and `alias list` show the addresses.";

/** Mail accepted for an alias that leads nowhere would bounce to the envelope sender, which may be forged. */
function wrongTargets(parts: AccountCommandParts, { address, targets }: AddAlias): CommandError | null {
  const message = targets
    .values()
    .map((target) => wrongTarget(parts, address, target))
    .find((wrong) => wrong !== null);
  return message === undefined ? null : failed(message, WHO_IS_THERE);
}

/** Returns why the mail of the address cannot go to the target, or null. */
export function wrongTarget(
  { accounts, reach, engine }: Pick<AccountCommandParts, "accounts" | "reach" | "engine">,
  address: Address,
  target: Address,
): string | null {
  if (engine.policy.domains.includes(domainOf(target)) && !accounts.isAddress(target) && target !== address)
    return `${target} is neither an account nor an alias here.`;
  return reach.onward(target).includes(address) ? `Mail for ${address} would return to it through ${target}.` : null;
}
