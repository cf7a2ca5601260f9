import { statSync } from "node:fs";
import * as z from "zod/mini";
import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { rememberedIn } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { oneAtATime, type RunBehind } from "../job.ts";
import { type CheckRecord, changeCheckRecord, fallen, NO_CHECKS, readCheckRecord } from "./check-record.ts";

export type CheckSettings = Pick<Settings, "checks.weekly">;

/** By then a new server has its certificate, its first account and all of its parts. */
const FIRST_MS = 10 * MINUTE_MS;
/** After a run that did not finish. */
const AGAIN_MS = HOUR_MS;
/** The checks take about two minutes. */
const LIMIT_MS = HOUR_MS;
const NAMED = 3;

/** Runs all checks ten minutes after the first start and each day, and knows which of them passed before and fail now. */
export function createCheckJob(layout: Layout, clock: Clock, settings: () => CheckSettings | null, run: RunBehind) {
  /** A run that did not finish, until one does. */
  const failure = rememberedIn(
    layout,
    "checks-failure.json",
    z.nullable(z.object({ at: z.number(), reason: z.string() })),
    null,
  );
  let read = { change: "", record: NO_CHECKS };

  /** Asked for each second, so the file is read only when it has changed. */
  function recorded(): CheckRecord {
    const stat = statSync(layout.checkRecord, { throwIfNoEntry: false });
    const change = stat === undefined ? "none" : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (change !== read.change) read = { change, record: readCheckRecord(layout) };
    return read.record;
  }

  async function check(now: number): Promise<void> {
    const failed = (reason: string): void => {
      failure.set({ at: now, reason: `the checks did not finish: ${reason}` });
    };
    const ended = await run(layout, "check", [], { ms: LIMIT_MS, passed: failed });
    if (ended === null) failure.set(null);
    else if (failure.get()?.at !== now) failed(ended);
  }

  return {
    look: oneAtATime(clock, settings, (inForce, now) => {
      if (!inForce["checks.weekly"]) return null;
      const record = recorded();
      if (record.since === 0) {
        changeCheckRecord(layout, { since: now });
        return null;
      }
      if (!isDue(record, now)) return null;
      changeCheckRecord(layout, { triedAt: now });
      return check(now);
    }),
    /** Includes checks that the owner ran, so that a fixed and rechecked fault is cleared at once. */
    troubles: (): readonly KeeperTrouble[] => {
      const record = recorded();
      const found = checkTroubles(record);
      const unfinished = failure.get();
      if (unfinished === null || (record.at ?? 0) >= unfinished.at) return found;
      const detail = [unfinished.reason, ...found.map((one) => one.detail)].join("; ");
      // The empty id stands for the run itself.
      return [{ code: "check_failed", detail, about: [...fallen(record), ""] }];
    },
  };
}

/** Due each day, because blocked mail returns after outbound.queue_lifetime; hourly while a failure that may be fixed is reported. */
export function isDue(record: CheckRecord, now: number): boolean {
  const { since, at, triedAt } = record;
  // A future time was noted while the clock was ahead.
  const ran = at !== null && at <= now ? at : null;
  if (triedAt !== null && triedAt <= now && triedAt > (ran ?? 0) && now - triedAt < AGAIN_MS) return false;
  if (ran === null) return now - since >= FIRST_MS || since > now;
  return now - ran >= (fallen(record).length > 0 ? HOUR_MS : DAY_MS);
}

export function checkTroubles(record: CheckRecord): readonly KeeperTrouble[] {
  const ids = fallen(record);
  if (ids.length === 0) return [];
  const named = ids.slice(0, NAMED).map((id) => `${id}: ${record.checks[id]?.evidence ?? ""}`);
  const more = ids.length > NAMED ? [`and ${ids.length - NAMED} more`] : [];
  return [{ code: "check_failed", detail: [...named, ...more].join(" "), about: ids }];
}
