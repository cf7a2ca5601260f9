export type Failure = Readonly<{ at: number; reason: string }>;

/** A record of the last success, and of a failure after it. */
type Outcomes = Readonly<{ last: Readonly<{ at: number }> | null; failure: Failure | null }>;

/**
 * Adds a failure that the record could not store, unless the record has something later. Without that, a full disk would hide the
 * failure, and the task would start again at each check.
 */
export function withUnnoted<Noted extends Outcomes>(record: Noted, unnoted: Failure | null): Noted {
  const notedAt = Math.max(record.last?.at ?? 0, record.failure?.at ?? 0);
  return unnoted === null || notedAt >= unnoted.at ? record : { ...record, failure: unnoted };
}
