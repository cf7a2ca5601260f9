import type { CommandError, ParsedCommandOf } from "../../../admin/declare/control.ts";
import { isMailboxUser } from "../../../admin/declare/rights.ts";
import { type AccountName, type Address, domainOf, parseAddress } from "../../../core/net/address.ts";
import { DAY_MS, later } from "../../../core/time.ts";
import type { AccountLists } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { ForwardTargets } from "../../mailbox-ports.ts";
import type { Clock } from "../../ports.ts";
import { failed } from "../refusals.ts";

/**
 * Limits on the targets that the web may add. Mail through an alias does not count against any account's sending limits, and mail through a
 * forward more than a day old counts only by its recipients (enforce/counted-forwards.ts), so the number of targets is limited too.
 * A target of two aliases or accounts counts twice. Root has no such limits.
 */
const MOST = {
  aliases: 1_000,
  /** Users of mailboxes may not add any beyond this total; the rest of `outside` is left to the administrator. */
  outsideOfUsers: 150,
  outside: 200,
  outsideOfAlias: 10,
  /** New outside targets of all aliases within a day, so that swapping targets does not reach new strangers all day. */
  outsideADay: 50,
} as const;

/** High enough to read all aliases, because those that root made count too. */
const MOST_ALIASES_OF_ROOT = 1_000_000;

export type OutsideTargetParts = Readonly<{
  accountLists: Pick<AccountLists, "aliases">;
  forwards: Pick<ForwardTargets, "targetsOf" | "targets">;
  engine: Pick<Engine, "policy">;
}>;
export type SpendingParts = OutsideTargetParts &
  Readonly<{ forwards: Pick<ForwardTargets, "spendTargets">; clock: Clock; isDry?: boolean }>;

export type AddAlias = ParsedCommandOf<"alias_add">;

/** Returns null if the web may add these targets, and counts them for the day, even if the command is refused later. */
export function refusesTargets(parts: SpendingParts, { address, targets }: AddAlias): CommandError | null {
  const aliases = allAliases(parts);
  const alias = aliases.find((one) => one.address === address);
  if (alias === undefined && aliases.length >= MOST.aliases) return refused(`${MOST.aliases} aliases`, "alias add");
  const added = outside(parts, targets).filter((target) => alias?.targets.includes(target) !== true);
  if (added.length === 0) return null;
  const ofAlias = outside(parts, alias?.targets ?? []).length;
  if (ofAlias + added.length > MOST.outsideOfAlias)
    return refused(`${MOST.outsideOfAlias} outside targets of an alias`, "alias add");
  if (outsideInAll(parts, aliases) + added.length > MOST.outside) return refused(inAll(MOST.outside), "alias add");
  if (parts.isDry === true) return null;
  const span = { since: later(parts.clock.now(), -DAY_MS), until: parts.clock.now() };
  return parts.forwards.spendTargets("aliases", added.length, MOST.outsideADay, span)
    ? null
    : refused(`${MOST.outsideADay} new outside targets of aliases within a day`, "alias add");
}

/** Returns null if the web may forward the mail of this account to these targets. */
export function tooManyForwards(
  parts: OutsideTargetParts,
  { account, to, by }: Readonly<{ account: AccountName; to: readonly Address[]; by: string }>,
): CommandError | null {
  const before = outside(parts, parts.forwards.targetsOf(account)).length;
  const more = outside(parts, to).length - before;
  const most = isMailboxUser(by) ? MOST.outsideOfUsers : MOST.outside;
  return more > 0 && outsideInAll(parts, allAliases(parts)) + more > most
    ? refused(inAll(most), "account forward")
    : null;
}

function inAll(most: number): string {
  return `${most} outside targets in all, of aliases and of forwarded mail`;
}

function allAliases({ accountLists }: Pick<OutsideTargetParts, "accountLists">) {
  return accountLists.aliases({ limit: MOST_ALIASES_OF_ROOT, cursor: null, text: null }).items;
}

function outsideInAll(parts: OutsideTargetParts, aliases: ReturnType<typeof allAliases>): number {
  return outside(parts, [...aliases.flatMap(({ targets }) => targets), ...parts.forwards.targets()]).length;
}

function outside({ engine }: Pick<OutsideTargetParts, "engine">, of: readonly string[]): readonly Address[] {
  return of
    .map(parseAddress)
    .filter((target) => target !== null)
    .filter((target) => !engine.policy.domains.includes(domainOf(target)));
}

function refused(most: string, command: string): CommandError {
  const message = `The dashboard and the API allow no more than ${most}.`;
  return failed(message, `Use \`${command}\` on the server, or ask its administrator.`);
}
