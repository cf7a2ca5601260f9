import { RENEW_IMAGE } from "../../../core/report/todo.ts";
import { dayAndTime } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { readCheckRecord } from "../../../daemon/keeper/schedules/check-record.ts";
import { IS_IMAGE } from "../../../daemon/set-up/checkout.ts";
import type { Layout } from "../../../settings/layout.ts";

/** One line about the last run of all checks, for `status`; null if there was none, or only root may know. */
export function lastCheckText(layout: Layout): string | null {
  const last = lastCheckJson(layout);
  if (last === null) return null;
  const bad = last.wrong.length === 0 ? "nothing wrong" : `wrong: ${last.wrong.join(", ")}`;
  const renewal = IS_IMAGE && last.wrong.includes("updates.waiting") ? ` Renew the image: ${RENEW_IMAGE}` : "";
  return `Last checks: ${dayAndTime(last.at)}, ${plural(last.checks, "check")}, ${bad}.${renewal}`;
}

/** The same for programs. */
export function lastCheckJson(layout: Layout) {
  const { at, checks } = readCheckRecord(layout);
  if (at === null) return null;
  const all = Object.entries(checks);
  const wrong = all.filter(([, { state }]) => state === "wrong").map(([id]) => id);
  return { at: isoTime(instant(at)), checks: all.length, wrong };
}
