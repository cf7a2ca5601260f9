import * as z from "zod/mini";
import { domainOf } from "../core/net/address.ts";
import { flag, type OutputOf, object } from "./declare/fields.ts";
import { aliasAddress, list, listOf, mailAddress, meaning, pageOf, search } from "./declare/kinds.ts";
import { ADMIN, changes, PROVEN_ADMIN, reads, verb } from "./declare/verb.ts";

/** Addresses that forward their mail. */

const ofAlias = { address: aliasAddress };
/** An alias may have 100 targets too, so a page of 500 aliases could take 12 MB. */
const MOST_LISTED = 100;
const targets = meaning(listOf(mailAddress, 100), "Where its mail goes.");
const BLOCKED = { given: { blocked: true } };
const UNBLOCKED = { given: { blocked: false } };
const named = object(() => ({ address: z.string() }));
/** The accounts that forwarded their mail to the removed alias or account. */
export const forwardsEnded = () => list(z.string());
const removed = object(() => ({ address: z.string(), forwardsEnded: forwardsEnded() }));

export const alias = object(() => ({ address: z.string(), targets: list(z.string()), blocked: z.boolean() }));
export type AliasItem = OutputOf<typeof alias>;

const listed = pageOf(alias);

export const ALIAS_VERBS = [
  verb("alias_add", PROVEN_ADMIN, { ...ofAlias, targets }, changes(alias, "accounts"))
    .http("POST /aliases", "Adds an alias, or more targets to an existing one.", { status: 201 })
    .cli("alias add ADDRESS TARGET...", "Pass mail for an address on to others.", {
      words: ["address", "targets"],
      done: ({ address, targets: all, blocked }, { targets }) => {
        const passes = `${address} now passes mail on to ${all.join(", ")}.`;
        const refuses = `${address} is blocked. Once unblocked, it passes mail on to ${all.join(", ")}.`;
        return (blocked ? refuses : passes) + noteOnRefusals(address, targets);
      },
      next: ({ address, blocked }) => (blocked ? `alias unblock ${address}` : "alias list"),
    }),
  verb("alias_remove", PROVEN_ADMIN, ofAlias, changes(removed, "lockout"))
    .http("DELETE /aliases/{address}", "Removes an alias with all its targets.")
    .cli("alias remove ADDRESS", "Remove an alias.", {
      words: ["address"],
      done: ({ address, forwardsEnded }) => `${address} is no longer an alias.${noteOnForwards(forwardsEnded)}`,
      next: "alias list",
    }),
  verb("alias_list", ADMIN, search("Only those with this in their address or a target.", MOST_LISTED), reads(listed))
    .http("GET /aliases", "Aliases by address, a page at a time: all, or those with a text in the address or a target.")
    .cli("alias list", "List the aliases.", {
      table: {
        things: "aliases",
        most: MOST_LISTED,
        head: ["ALIAS", "STATE", "GOES TO"],
        row: (item) => [item.address, item.blocked ? "blocked" : "active", item.targets.join(", ")],
        none: "There is no alias yet.",
        first: "alias add info@example.org anna@example.org",
      },
    }),
  verb("alias_block", PROVEN_ADMIN, { ...ofAlias, blocked: flag }, changes(named, "lockout"))
    .http("POST /aliases/{address}/block", "Refuses mail for an alias, which keeps its targets.", BLOCKED)
    .http("POST /aliases/{address}/unblock", "Accepts mail for an alias again.", UNBLOCKED)
    .cli("alias block ADDRESS", "Refuse mail for an alias.", {
      ...BLOCKED,
      words: ["address"],
      done: ({ address }) => `Mail for ${address} is refused from now on.`,
      next: ({ address }) => `alias unblock ${address}`,
    })
    .cli("alias unblock ADDRESS", "Accept mail for an alias again.", {
      ...UNBLOCKED,
      words: ["address"],
      done: ({ address }) => `${address} accepts mail again.`,
      next: "alias list",
    }),
] as const;

/** A sentence to append; empty if no forward ended. */
export function noteOnForwards(accounts: readonly string[]): string {
  return accounts.length === 0 ? "" : ` These accounts no longer forward mail to it: ${accounts.join(", ")}.`;
}

/** A line about targets that may be on other servers. Forwarded mail keeps its envelope sender, so SPF fails there. */
export function noteOnRefusals(address: string, to: readonly string[]): string {
  const staysHere = to.every((target) => domainOf(target) === domainOf(address));
  if (staysHere) return "";
  return "\nOther servers may refuse forwarded mail without a DKIM signature, and most relays (outbound.relay) refuse it all.";
}
