/** Set by the test runner (`scripts/test-machine.ts`). */
const SLOWNESS = Math.max(1, Number(process.env["TEST_SLOWNESS"] ?? 1));

/**
 * A deadline, in milliseconds, scaled to this machine: it is written for a machine with two processors that runs nothing but the tests, and
 * a machine half as fast gets twice the time. For waits of tests, never for promises of the product.
 */
export function patience(ms: number): number {
  return Math.round(ms * SLOWNESS);
}

/** The same in whole seconds, as an argument of a program, such as `sv -w`. */
export function patienceSeconds(seconds: number): string {
  return String(Math.ceil(patience(seconds * 1_000) / 1_000));
}
