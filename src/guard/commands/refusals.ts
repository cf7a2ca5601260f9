import { notServed as notServedText } from "../../admin/accounts.ts";
import type { CommandError } from "../../admin/declare/control.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { type Address, domainOf } from "../../core/net/address.ts";
import { printable } from "../../core/text.ts";
import type { Engine } from "../engine.ts";

/** Rejects a command that no server could carry out. `next`: what to do instead. */
export function usage(message: string, next: string): CommandError {
  return { ok: false, kind: "usage", message, next };
}

/** Reports that a correct command was not carried out. */
export function failed(message: string, next: string): CommandError {
  return { ok: false, kind: "failed", message, next };
}

export function wrongAddress(text: string): CommandError {
  return usage(`“${printable(text, 80)}” is not a mail address.`, "Write it as alice@example.org.");
}

/** A refusal of the accounts' database. */
export function notDone(reason: string): CommandError {
  return failed(reason, "`account list` shows the accounts.");
}

/** Null if the domain of the address is one of this server's. */
export function notServed(engine: Pick<Engine, "policy">, address: Address): CommandError | null {
  const { domains } = engine.policy;
  if (domains.includes(domainOf(address))) return null;
  const { message, next } = notServedText(domainOf(address), domains);
  return failed(message, next);
}

/** Returns why the keeper did not answer the request. */
export function keeperFault(reply: KeeperReply): CommandError {
  const message = reply.ok ? "The keeper runs a different version." : reply.reason;
  return failed(message, "`status` shows what is wrong.");
}
