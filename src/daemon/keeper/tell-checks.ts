import { instant, isoTime } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { ChecksReport } from "../../wire/control/reports.ts";
import { readCheckRecord } from "./schedules/check-record.ts";

/** The last results of the checks. Only root has their evidence: it may name accounts whose passwords can be guessed. */
export function checksOf(layout: Layout): ChecksReport {
  const { at, checks } = readCheckRecord(layout);
  return {
    at: timeOf(at),
    checks: Object.entries(checks).map(([id, { state, passedAt }]) => ({ id, state, passedAt: timeOf(passedAt) })),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : isoTime(instant(ms));
}
