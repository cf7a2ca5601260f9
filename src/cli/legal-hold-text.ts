import { messageOf } from "../core/error.ts";
import { dayAndTime } from "../core/shown.ts";
import type { Layout } from "../settings/layout.ts";
import { oneLine } from "./print/text.ts";

/** `since 2026-11-20 06:00:00 UTC (a lawsuit)` */
export function sinceText({ since, reason }: Readonly<{ since: string; reason: string }>): string {
  return `since ${dayAndTime(since)}${reason === "" ? "" : ` (${oneLine(reason)})`}`;
}

/** The warning when an account is removed; null if its mail is not under legal hold. Never throws. */
export async function heldText(layout: Pick<Layout, "legalHolds">, account: string): Promise<string | null> {
  const { legalHoldOf } = await import("../daemon/keeper/schedules/legal-holds.ts");
  try {
    const held = legalHoldOf(layout.legalHolds, account);
    return held === null ? null : `It is under legal hold ${sinceText(held)}: keep its mail.`;
  } catch (error) {
    return `${messageOf(error)}.`;
  }
}
