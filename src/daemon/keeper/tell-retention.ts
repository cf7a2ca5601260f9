import { instant, isoTime } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { RetentionReport } from "../../wire/control/told.ts";
import { readLegalHolds } from "./legal-holds.ts";
import { leapText } from "./retention-clock.ts";
import { nextRun, type RetentionSettings, readRetentionRecord } from "./retention-schedule.ts";

/**
 * What `retention show` tells without a look into the mailboxes, which takes long; of legal holds not their reasons. Throws if
 * the list of holds cannot be read.
 */
export function retentionOf(
  layout: Pick<Layout, "retentionRecord" | "legalHolds">,
  settings: Pick<RetentionSettings, "retention.hour">,
  now: number,
): RetentionReport {
  const record = readRetentionRecord(layout);
  const { last, leap, failure } = record;
  const next = nextRun(record, settings["retention.hour"], now);
  return {
    nextRunAt: next === null ? null : isoTime(instant(next)),
    lastRun: last && { ...last, at: isoTime(instant(last.at)) },
    failure: failure && { ...failure, at: isoTime(instant(failure.at)) },
    paused: leap && leapText(leap),
    legalHolds: readLegalHolds(layout.legalHolds).map(({ account, since }) => ({ account, since })),
  };
}
