import type { CommandError } from "../../admin/declare/control.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { type Address, domainOf } from "../../core/net/address.ts";
import { printable } from "../../core/text.ts";
import type { Engine } from "../engine.ts";

export function wrongAddress(text: string): CommandError {
  const shown = printable(text, 80);
  return {
    ok: false,
    kind: "usage",
    message: `“${shown}” is not a mail address.`,
    next: "Write it as alice@example.org.",
  };
}

/** Null if the domain of the address is one of this server's. */
export function notServed(engine: Pick<Engine, "policy">, address: Address): CommandError | null {
  const { domains } = engine.policy;
  if (domains.includes(domainOf(address))) return null;
  const message = `${domainOf(address)} is not a mail domain of this server (${domains.join(", ")}).`;
  return { ok: false, kind: "failed", message, next: "Add it to `domains` in ghostinbox.toml, then `config apply`." };
}

/** Returns why the keeper did not answer the request. */
export function keeperFault(reply: KeeperReply): CommandError {
  const message = reply.ok ? "The keeper runs a different version." : reply.reason;
  return { ok: false, kind: "failed", message, next: "`status` shows what is wrong." };
}
