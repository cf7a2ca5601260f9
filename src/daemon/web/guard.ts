import { ask, CONTROL_TIMEOUT_MS } from "../../adapters/sockets/control-client.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { GuardPort } from "../../servers/api/ports.ts";
import type { Command } from "../../wire/control/control.ts";

/** How long others wait: a slower guard counts as down. */
const SOON_MS = 2 * SECOND_MS;

/** The guard as the web sees it: any failure to answer counts as not reached. */
export function guardAt(socketPath: string): GuardPort {
  return {
    ask: async (by, command) => {
      const asked: Command = command;
      const timeoutMs = asked.verb === "health" || asked.verb === "caller" ? SOON_MS : CONTROL_TIMEOUT_MS;
      const reply = await ask(socketPath, by === "web" ? by : { by: "web", ...by }, command, timeoutMs);
      if (reply.ok || reply.kind === "usage" || reply.kind === "failed") return reply;
      const mayBeDone = reply.kind === "timeout" || reply.kind === "broken";
      return { ok: false, kind: "unreachable", message: reply.message, ...(mayBeDone && { mayBeDone }) };
    },
  };
}
