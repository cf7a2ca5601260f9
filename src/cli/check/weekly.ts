import { type CheckRecord, fallen, noted } from "../../daemon/keeper/schedules/check-record.ts";
import type { Result } from "./run-checks.ts";

type Parts = Readonly<{
  /** The previous results of the checks. */
  before: CheckRecord;
  /** Runs the checks of these groups. */
  look: (groups: readonly string[]) => Promise<readonly Result[]>;
  pause: () => Promise<unknown>;
  now: () => number;
}>;

/** Runs all groups once, and those with a new failure again, because failures that clear within a minute are not reported. */
export async function runWeekly(groups: readonly string[], { before, look, pause, now }: Parts): Promise<CheckRecord> {
  const record = noted(before, await look(groups), now(), true);
  const known = fallen(before);
  const news = fallen(record).filter((id) => !known.includes(id));
  if (news.length === 0) return record;
  await pause();
  const again = await look(groups.filter((group) => news.some((id) => id.startsWith(`${group}.`))));
  return noted(record, again, now(), false);
}
