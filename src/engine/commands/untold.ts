import type { CommandError } from "../../wire/control/control.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";

/** The keeper did not tell what was asked: why. */
export function untold(told: KeeperReply): CommandError {
  const message = told.ok ? "The keeper is of another version." : told.reason;
  return { ok: false, kind: "failed", message, next: "`status` shows what is wrong." };
}
