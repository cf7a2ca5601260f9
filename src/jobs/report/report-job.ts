import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { failureOf } from "../../core/error.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { type JobFailure, oneAtATime, type RunBehind, withUnnoted } from "../job.ts";
import { changeMailRecord, duePeriod, type ReportSettings, readMailRecord, withPeriod } from "./records.ts";

/** A report takes seconds. */
const LIMIT_MS = HOUR_MS;

/** Mails the regular report. */
export function createReportJob(layout: Layout, clock: Clock, settings: () => ReportSettings | null, run: RunBehind) {
  /** The last failure, in memory because the disk may not be able to store it. */
  let unnoted: JobFailure | null = null;
  /** The period of the last report that this process had sent, which may not be noted either. */
  let sent: string | null = null;

  const recorded = () => withUnnoted(readMailRecord(layout), unnoted);

  function noteFailure(failure: JobFailure): void {
    const why = failureOf(() => changeMailRecord(layout, { failure }));
    if (why === null) return;
    unnoted = failure;
    console.error(`keeper: the failure of a report could not be recorded: ${why}`);
  }

  /** Never rejects. */
  async function make(period: string, now: number): Promise<void> {
    const passed = (reason: string): void => noteFailure({ at: now, reason });
    const reason = await run(layout, "report", [period, String(now)], { ms: LIMIT_MS, passed });
    if (reason === null) sent = period;
    else if (recorded().failure?.at !== now) noteFailure({ at: now, reason });
  }

  return {
    look: oneAtATime(clock, settings, (inForce, now) => {
      const record = recorded();
      const due = duePeriod(record, inForce, now);
      if (due?.isNew !== true) return due === null || due.period === sent ? null : make(due.period, now);
      const schedule = inForce["report.mail"];
      changeMailRecord(layout, { schedule, done: [...withPeriod(record, due.period)], failure: null });
      return null;
    }),
    troubles: (): readonly KeeperTrouble[] => {
      if ((settings()?.["report.mail"] ?? "off") === "off") return [];
      const { failure } = recorded();
      return failure === null ? [] : [{ code: "report_unsent", detail: failure.reason }];
    },
  };
}
