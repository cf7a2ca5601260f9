/** Set by the test runner (`scripts/test-machine.ts`). */
const SLOWNESS = Math.max(1, Number(process.env["TEST_SLOWNESS"] ?? 1));

/**
 * Scales a deadline in milliseconds to this machine. `ms` is meant for a machine with two processors that runs only the tests; a
 * machine half as fast gets twice the time. For how long a test waits, never for a time limit that the product promises.
 */
export const patience = (ms: number): number => Math.round(ms * SLOWNESS);

/** The same in whole seconds, as an argument of a program, such as `sv -w`. */
export const patienceSeconds = (seconds: number): string => String(Math.ceil(patience(seconds * 1_000) / 1_000));
