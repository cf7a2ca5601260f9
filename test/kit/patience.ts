/** Set by the test runner (`scripts/machine-speed.ts`). */
const SLOWNESS = Math.max(1, Number(process.env["TEST_SLOWNESS"] ?? 1));

/**
 * A deadline, in milliseconds, as this machine needs it: it is written for one of two processors with nothing beside the tests, and
 * a machine half as fast gets twice the time. For how long a test waits, never for what the product promises at any speed.
 */
export function patience(ms: number): number {
  return Math.round(ms * SLOWNESS);
}

/** The same in whole seconds, as an argument of a program, such as `sv -w`. */
export function patienceSeconds(seconds: number): string {
  return String(Math.ceil(patience(seconds * 1_000) / 1_000));
}
