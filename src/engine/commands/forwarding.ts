import { type Address, domainOf, parseAccountName, parseAddress } from "../../core/net/address.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { ForwardStore } from "../mailbox-ports.ts";
import type { AccountCommandParts } from "./accounts.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type ForwardCommandParts = Pick<AccountCommandParts, "engine" | "accounts"> &
  Readonly<{ forwards: ForwardStore }>;

/** Sends the mail of an account on, with or without a copy for itself; to nobody: no longer. */
export async function forwardCommand(
  parts: ForwardCommandParts,
  command: Extract<Command, { readonly verb: "forward_set" }>,
  by: string,
): Promise<Reply<"forward_set">> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const to = command.to.map(parseAddress).filter((target) => target !== null);
  if (to.length < command.to.length) return wrongAddress(command.to.join(", "));
  for (const target of to) {
    const message = wrongTarget(parts, name, target);
    if (message !== null)
      return { ok: false, kind: "failed", message, next: "`account list` and `alias list` show who is there." };
  }
  const { keep } = command;
  const outcome = parts.forwards.forward(name, to, keep);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`account list` shows the accounts." };
  const where = to.length === 0 ? "no longer" : `to ${to.join(", ")}${keep ? "" : ", without a copy here"}`;
  const recorded = await parts.engine.audit({
    type: "FORWARDING_CHANGED",
    subject: `${name} ${where}`,
    account: name,
    by,
  });
  return recorded ? { ok: true, result: { name, to, keep } } : UNRECORDED;
}

function wrongTarget({ accounts, engine }: ForwardCommandParts, name: Address, target: Address): string | null {
  if (target === name) return `${name} gets a copy by --keep, which is so unless --no-keep is given.`;
  if (engine.policy.domains.includes(domainOf(target)) && !accounts.isAddress(target))
    return `${target} is neither an account nor an alias here.`;
  return accounts.leadsTo(target, name) ? `Mail for ${name} would come back to it by way of ${target}.` : null;
}
