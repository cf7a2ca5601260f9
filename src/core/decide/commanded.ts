import type { EventType } from "../events/event-types.ts";
import { guardLowered } from "./account-guard.ts";
import type { Change } from "./decision.ts";

const HOLD_CHANGES: Partial<Record<EventType, "END_HOLD" | "DISOWN_HOLD">> = {
  ACCOUNT_RELEASED: "END_HOLD",
  HELD_MAIL_DROPPED: "DISOWN_HOLD",
};

/** What a command that was recorded changes beside what it says: the same when it is given and when it is replayed. */
export function commanded(audit: Readonly<{ type: EventType; subject: string }>): readonly Change[] {
  const lowered = guardLowered(audit);
  const ofHold = HOLD_CHANGES[audit.type];
  const changes = ofHold === undefined ? [] : [{ type: ofHold, account: audit.subject }];
  return lowered === null ? changes : [lowered, ...changes];
}
