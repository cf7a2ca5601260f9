import type { EventType } from "../events/event-types.ts";
import { guardLowered } from "./account-guard.ts";
import type { Change } from "./decision.ts";

/** What a command that was recorded changes beside what it says: the same when it is given and when it is replayed. */
export function commanded(audit: Readonly<{ type: EventType; subject: string }>): readonly Change[] {
  const lowered = guardLowered(audit);
  const ended = audit.type === "ACCOUNT_RELEASED" ? ([{ type: "END_HOLD", account: audit.subject }] as const) : [];
  return lowered === null ? ended : [lowered, ...ended];
}
