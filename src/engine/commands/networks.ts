import { parseAccountName } from "../../core/net/address.ts";
import { parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { printable } from "../../core/text.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { AccountNetworks } from "../admin-ports.ts";
import { type AccountCommandParts, endSessions, sessionsStay } from "./accounts.ts";
import { UNRECORDED } from "./unrecorded.ts";
import { wrongAddress } from "./wrong-address.ts";

export type NetworkCommandParts = AccountCommandParts & Readonly<{ networks: AccountNetworks }>;
export type NetworkCommand = Extract<Command, { readonly verb: `networks_${string}` }>;

/**
 * Changes the networks from which an account may sign in. Its open sessions are closed, since some may come from
 * elsewhere.
 */
export async function networkCommand(
  parts: NetworkCommandParts,
  command: NetworkCommand,
  by: string,
): Promise<Reply<NetworkCommand["verb"]>> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const networks = [];
  for (const text of command.networks) {
    const network = parsePrefix(text);
    if (network === null || prefixLength(network) === 0) return wrongNetwork(text);
    networks.push(network);
  }
  const outcome =
    command.verb === "networks_add"
      ? parts.networks.addNetworks(name, networks)
      : parts.networks.removeNetworks(name, networks);
  if (!outcome.ok)
    return { ok: false, kind: "failed", message: outcome.reason, next: "`account list` shows the accounts." };
  const after = parts.networks.networksOf(name);
  const where = after.length === 0 ? "anywhere" : after.join(", ");
  const recorded = await parts.engine.audit({
    type: "NETWORKS_CHANGED",
    subject: `${name} from ${where}`,
    account: name,
    by,
  });
  const ended = await endSessions(parts, name);
  if (!ended.ok) return sessionsStay(name, ended.reason);
  return recorded ? { ok: true, result: { name, networks: after } } : UNRECORDED;
}

function wrongNetwork(text: string): CommandError {
  const message = `“${printable(text, 60)}” is no network that restricts anything.`;
  return { ok: false, kind: "usage", message, next: "Write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32." };
}
