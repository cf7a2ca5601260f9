import { type Address, domainOf, parseAddress } from "../../core/net/address.ts";
import type { Command, CommandError } from "../../wire/control/control.ts";
import type { AccountBook } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";

/**
 * Through the web. One mail to an alias leaves once for each target outside, past the limits of what accounts send; one target
 * counts once for each alias that has it. Root has no such limits.
 */
const MOST = { aliases: 1_000, outside: 200, outsideOfOne: 10 } as const;

/** Null: the web may add these targets. */
export function tooManyTargets(
  { book, engine }: Readonly<{ book: Pick<AccountBook, "aliases">; engine: Pick<Engine, "policy"> }>,
  { address, targets }: Extract<Command, { readonly verb: "alias_add" }>,
): CommandError | null {
  const isOutside = (target: Address): boolean => !engine.policy.domains.includes(domainOf(target));
  const outside = (of: readonly string[]): readonly Address[] =>
    of
      .map(parseAddress)
      .filter((target) => target !== null)
      .filter(isOutside);
  const { items, total } = book.aliases({ limit: MOST.aliases, cursor: null, text: null });
  const alias = items.find((one) => one.address === parseAddress(address));
  if (alias === undefined && total >= MOST.aliases) return refused(`${MOST.aliases} aliases`);
  const added = outside(targets).filter((target) => alias?.targets.includes(target) !== true);
  if (added.length === 0) return null;
  const ofAlias = outside(alias?.targets ?? []).length;
  if (ofAlias + added.length > MOST.outsideOfOne) return refused(`${MOST.outsideOfOne} outside targets of an alias`);
  const inAll = items.flatMap((one) => outside(one.targets)).length;
  return inAll + added.length > MOST.outside ? refused(`${MOST.outside} outside targets in all`) : null;
}

function refused(most: string): CommandError {
  const message = `The dashboard and the API make no more than ${most}.`;
  return { ok: false, kind: "failed", message, next: "Use `alias add` on the server." };
}
