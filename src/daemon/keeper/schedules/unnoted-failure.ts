export type Failure = Readonly<{ at: number; reason: string }>;

/** A record of what last went well, and of what failed after it. */
type Outcomes = Readonly<{ last: Readonly<{ at: number }> | null; failure: Failure | null }>;

/**
 * A record with a failure that it could not keep, unless it knows of something later. Without that, a full disk would hide the
 * failure, and the task would start again at each look.
 */
export function withUnnoted<Noted extends Outcomes>(record: Noted, unnoted: Failure | null): Noted {
  const notedAt = Math.max(record.last?.at ?? 0, record.failure?.at ?? 0);
  return unnoted === null || notedAt >= unnoted.at ? record : { ...record, failure: unnoted };
}
