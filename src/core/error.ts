export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A code such as `ENOENT`; empty if there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What the work returns, or `otherwise` if it throws. */
export function readOr<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** The message of what the work throws; null if it throws nothing. */
export function failureOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Null if the work throws an error with one of these codes. */
export function nullOn<T>(codes: readonly string[], work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (codes.includes(codeOf(error))) return null;
    throw error;
  }
}

/** Reports a reason unless it is the same as the last one, so that a repeated failure fills no log. Null: there is none now. */
export function reportOnce(report: (reason: string) => void): (reason: string | null) => void {
  let last: string | null = null;
  return (reason) => {
    if (reason !== null && reason !== last) report(reason);
    last = reason;
  };
}
