import { type Address, domainOf } from "../../core/net/address.ts";
import type { CommandError } from "../../wire/control/control.ts";
import type { Engine } from "../engine.ts";

/** Null if the domain of the address is one of this server's. */
export function notServed(engine: Pick<Engine, "policy">, address: Address): CommandError | null {
  const { domains } = engine.policy;
  if (domains.includes(domainOf(address))) return null;
  const message = `${domainOf(address)} is not a mail domain of this server (${domains.join(", ")}).`;
  return { ok: false, kind: "failed", message, next: "Add it to `domains` in ghostinbox.toml, then `config apply`." };
}
