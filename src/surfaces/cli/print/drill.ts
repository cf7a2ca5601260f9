import { plural } from "../../../core/text.ts";
import { instant, isoTime, isoTimeOrNull, span } from "../../../core/time.ts";
import { type Drill, lastDrill, readDrills } from "../../../jobs/backup/records.ts";
import type { Layout } from "../../../settings/layout.ts";
import { oneLine, when } from "./text.ts";

/** One line about the last drill, for `status` and `backup list`; null if there was none, or only root may know. */
export function lastDrillText(layout: Layout): string | null {
  const drill = lastDrill(readDrills(layout));
  if (drill === null) return null;
  const last = `Last restore drill: ${when(drill.at)}`;
  if (drill.reason !== null) return `${last}, failed: ${oneLine(drill.reason)}.`;
  return `${last}, ${plural(drill.found?.mails ?? 0, "mail")} of ${drill.snapshot} in ${span(drill.tookMs)}, all right.`;
}

export function lastDrillJson(layout: Layout) {
  const drill = lastDrill(readDrills(layout));
  return drill === null ? null : drillJson(drill);
}

/** A drill as `--json` prints it. */
export function drillJson({ at, madeAt, tookMs, snapshot, reason, found }: Drill) {
  const times = { at: isoTime(instant(at)), madeAt: isoTimeOrNull(madeAt) };
  return { ok: reason === null, ...times, tookMs, snapshot, reason, found };
}
