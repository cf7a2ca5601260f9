import { plural } from "../../../core/text.ts";
import { instant, isoTime, isoTimeOrNull, span } from "../../../core/time.ts";
import { type Drill, lastDrill, readDrills } from "../../../jobs/backup/records.ts";
import type { Layout } from "../../../settings/layout.ts";
import { oneLine, when } from "./text.ts";

/** The last drill in one line and as JSON, for `status` and `backup list`; null if there was none or the caller may not read it. */
export function shownLastDrill(layout: Layout) {
  const drill = lastDrill(readDrills(layout));
  if (drill === null) return null;
  const { reason, found, snapshot, tookMs } = drill;
  const how =
    reason === null
      ? `${plural(found?.mails ?? 0, "mail")} of ${snapshot} in ${span(tookMs)}, all right`
      : `failed: ${oneLine(reason)}`;
  return { text: `Last restore drill: ${when(drill.at)}, ${how}.`, json: drillJson(drill) };
}

export function drillJson({ at, madeAt, tookMs, snapshot, reason, found }: Drill) {
  const times = { at: isoTime(instant(at)), madeAt: isoTimeOrNull(madeAt) };
  return { ok: reason === null, ...times, tookMs, snapshot, reason, found };
}
