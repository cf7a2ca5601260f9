import { type Address, domainOf, parseAccountName, parseAddress } from "../../core/net/address.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { ForwardStore } from "../mailbox-ports.ts";
import type { Outcome } from "../ports.ts";
import { type AccountCommandParts, notDone } from "./accounts.ts";
import { alertsStay, getsAlerts } from "./alert-mailboxes.ts";
import { tooWide } from "./aliases.ts";
import { recordFirst } from "./record-first.ts";
import { UNWRITTEN } from "./unrecorded.ts";
import { type TargetParts, tooManyForwards } from "./web-targets.ts";
import { wrongAddress } from "./wrong-address.ts";

export type ForwardCommandParts = Pick<AccountCommandParts, "engine" | "accounts" | "reach" | "alertsTo" | "rehearse"> &
  Pick<TargetParts, "book"> &
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
    const message = target === name ? ownAddress(name, by) : wrongTarget(parts, name, target);
    if (message !== null) return { ok: false, kind: "failed", message, next: by === "root" ? WHO_IS_THERE : OTHER_ONE };
  }
  const { keep } = command;
  // Who has the password of the mailbox, or has taken the web over, may not keep the alerts from the owner.
  if (by !== "root" && !keep && to.length > 0 && getsAlerts(parts, name)) return alertsStay(name);
  const beyond = by.startsWith("web:") ? tooManyForwards(parts, name, to) : null;
  if (beyond !== null) return beyond;
  const change = (): Outcome => parts.forwards.forward(name, to, keep);
  const tooMany = parts.rehearse(() => (change().ok ? tooWide(parts, name) : null));
  if (tooMany !== null) return tooMany;
  const where = to.length === 0 ? "no longer" : `to ${to.join(", ")}${keep ? "" : ", without a copy here"}`;
  const outcome = await recordFirst(parts, change, () =>
    parts.engine.audit({ type: "FORWARDING_CHANGED", subject: `${name} ${where}`, account: name, by }),
  );
  if (outcome === "unwritten") return UNWRITTEN;
  return outcome.ok ? { ok: true, result: { name, to, keep } } : notDone(outcome.reason);
}

const WHO_IS_THERE = "`account list` and `alias list` show who is there.";
/** For a user, who has no command line. */
const OTHER_ONE = "Give another address.";

function ownAddress(name: Address, by: string): string {
  const how = by === "root" ? "by --keep, which is so unless --no-keep is given" : "unless you keep none";
  return `${name} gets a copy ${how}.`;
}

function wrongTarget({ accounts, engine }: ForwardCommandParts, name: Address, target: Address): string | null {
  if (engine.policy.domains.includes(domainOf(target)) && !accounts.isAddress(target))
    return `${target} is neither an account nor an alias here.`;
  return accounts.leadsTo(target, name) ? `Mail for ${name} would come back to it by way of ${target}.` : null;
}
