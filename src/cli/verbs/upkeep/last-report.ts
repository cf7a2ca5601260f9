import { dayAndTime } from "../../../core/shown.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { readMailRecord } from "../../../daemon/report/mail-record.ts";
import type { Layout } from "../../../settings/layout.ts";

/** One line about the last report by mail, for `status`; null if there was none, or only root may know. */
export function lastReportText(layout: Layout): string | null {
  const last = lastReportJson(layout);
  return last === null ? null : `Last report by mail: ${dayAndTime(last.at)}, to ${last.to.join(", ")}.`;
}

/** The same for programs. */
export function lastReportJson(layout: Layout) {
  const { last } = readMailRecord(layout);
  return last === null ? null : { at: isoTime(instant(last.at)), to: last.to };
}
