import type { CommandError } from "../../wire/control/control.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";

/** Returns why the keeper did not answer the request. */
export function keeperFault(reply: KeeperReply): CommandError {
  const message = reply.ok ? "The keeper runs a different version." : reply.reason;
  return { ok: false, kind: "failed", message, next: "`status` shows what is wrong." };
}
