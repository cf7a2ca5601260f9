import type { CommandError } from "../../admin/declare/control.ts";
import type { Audit } from "../../core/events/command.ts";
import type { Engine } from "../engine.ts";
import type { Failed, Outcome } from "../ports.ts";
import { failed, notDone } from "./refusals.ts";

/** Each change that goes through `recordFirst` is rehearsed first; a dry run stops there. */
export type Rehearsal = Readonly<{
  /** Runs the work in the accounts' database and rolls it back as soon as `work` returns. */
  rehearse: <T>(work: () => T) => T;
  isDry?: true;
}>;

type Recorded<T> = Readonly<{
  change: () => T | Failed;
  /** Called in each rehearsal, before the change is tried. Returns why it must no longer be made. */
  before?: (() => CommandError | null) | undefined;
  /** Called in each rehearsal, after the change is tried. Returns why it must not be made. */
  check?: (() => CommandError | null) | undefined;
  record: (would: T) => Promise<boolean>;
  refused?: typeof notDone;
}>;

/**
 * Records a change of the accounts' database before making it, so that no change lacks a record if the guard ends in between. The
 * change is first tried and rolled back. If it is refused then, nothing is recorded, and `refused` makes the answer. If another
 * command makes the change impossible while it is being recorded, the record stays.
 */
export async function recordFirst<T extends Readonly<{ ok: true }>>(
  { rehearse, isDry }: Rehearsal,
  { change, before, check, record, refused = notDone }: Recorded<T>,
): Promise<T | CommandError> {
  const rehearsed = (): T | CommandError =>
    rehearse(() => {
      const ended = before?.() ?? null;
      if (ended !== null) return ended;
      const tried = change();
      return tried.ok ? (check?.() ?? tried) : refused(tried.reason);
    });
  const would = rehearsed();
  if (!would.ok || isDry === true) return would;
  if (!(await record(would))) return UNWRITTEN;
  // While the record was written, another command may have made a change that conflicts with this one.
  const still = rehearsed();
  if (!still.ok) return still;
  const done = change();
  return done.ok ? done : refused(done.reason);
}

export type RecordParts = Rehearsal & Readonly<{ engine: Pick<Engine, "audit"> }>;

type Audited<R> = Omit<Recorded<Extract<Outcome, { ok: true }>>, "record"> & Readonly<{ audit: Audit; result: R }>;

/** The same for a change with one entry in the audit, which is answered with `result`. */
export async function recordThenChange<R>(
  parts: RecordParts,
  { audit, result, ...how }: Audited<R>,
): Promise<Readonly<{ ok: true; result: R }> | CommandError> {
  const outcome = await recordFirst(parts, { ...how, record: () => parts.engine.audit(audit) });
  return outcome.ok ? { ok: true, result } : outcome;
}

/** Records all of these in one transaction. Returns false if they could not be written. */
export async function recordAll(engine: Pick<Engine, "audit">, audits: readonly Audit[]): Promise<boolean> {
  const recorded = await Promise.all(audits.map((audit) => engine.audit(audit)));
  return recorded.every(Boolean);
}

/** Records what was done, and answers with `result`. */
export async function recordDone<R>(engine: Pick<Engine, "audit">, audit: Audit, result: R) {
  return (await engine.audit(audit)) ? ({ ok: true, result } as const) : UNRECORDED;
}

/**
 * The answer to a command whose record could not be committed. Its change may be undone with the same transaction, or
 * be in the accounts' database. Either way the caller must not hear that it succeeded.
 */
const UNRECORDED = uncertain(
  "The database could not be written: the change may or may not have taken effect, and it was not recorded.",
  "Check what happened, and repeat it once `status` reports the database as healthy.",
);

/** The answer to a command whose changes the disk has not confirmed. */
export const UNFLUSHED = uncertain(
  "It was done, but the disk did not confirm it: a power failure may undo it or its record.",
  "Check it once `status` reports the database as healthy. A secret that it would have shown is lost: make a new one.",
);

/** Reports that a command may have been carried out, wholly or in part. */
export function uncertain(message: string, next: string): CommandError {
  return { ...failed(message, next), mayBeDone: true };
}

/** The answer if the record comes before the change, and could not be committed. */
export const UNWRITTEN = failed(
  "The audit entry could not be written, so nothing was changed.",
  "`status` shows what is wrong.",
);
