import { parseAccountName } from "../../../core/net/address.ts";
import { type Prefix, parsePrefix, prefixLength } from "../../../core/net/ip.ts";
import { printable } from "../../../core/text.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import type { AccountNetworks, SessionStore } from "../../admin-ports.ts";
import type { Outcome } from "../../ports.ts";
import { recordFirst } from "../record-first.ts";
import { UNWRITTEN } from "../unrecorded.ts";
import { wrongAddress } from "../wrong-address.ts";
import { type AccountCommandParts, endSessions, notDone, sessionsStay } from "./accounts.ts";

export type NetworkCommandParts = AccountCommandParts &
  Readonly<{ networks: AccountNetworks; sessions: Pick<SessionStore, "end"> }>;
export type NetworkCommand = Extract<Command, { readonly verb: `networks_${string}` }>;

/**
 * Changes the networks from which an account may sign in. Closes its open sessions, including those at the dashboard, since some may
 * come from other networks.
 */
export async function networkCommand(
  parts: NetworkCommandParts,
  command: NetworkCommand,
  by: string,
): Promise<Reply<NetworkCommand["verb"]>> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const networks: Prefix[] = [];
  for (const text of command.networks) {
    const network = parsePrefix(text);
    if (network === null || prefixLength(network) === 0) return wrongNetwork(text);
    networks.push(network);
  }
  const change = (): Changed => {
    const outcome =
      command.verb === "networks_add"
        ? parts.networks.addNetworks(name, networks)
        : parts.networks.removeNetworks(name, networks);
    if (!outcome.ok) return outcome;
    parts.sessions.end({ of: name, except: null });
    return { ok: true, networks: parts.networks.networksOf(name) };
  };
  const outcome = await recordFirst(parts, change, (would) =>
    parts.engine.audit({ type: "NETWORKS_CHANGED", subject: `${name} from ${whereOf(would)}`, account: name, by }),
  );
  if (outcome === "unwritten") return UNWRITTEN;
  if (!outcome.ok) return notDone(outcome.reason);
  const ended = await endSessions(parts, name);
  return ended.ok ? { ok: true, result: { name, networks: outcome.networks } } : sessionsStay(name, ended.reason);
}

/** With the account's networks after the change. */
type Changed = Readonly<{ ok: true; networks: readonly Prefix[] }> | Extract<Outcome, { ok: false }>;

function whereOf(changed: Changed): string {
  return changed.ok && changed.networks.length > 0 ? changed.networks.join(", ") : "anywhere";
}

function wrongNetwork(text: string): CommandError {
  const message = `“${printable(text, 60)}” is not a network that restricts anything.`;
  return { ok: false, kind: "usage", message, next: "Write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32." };
}
