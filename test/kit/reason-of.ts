import assert from "node:assert/strict";

type Outcome = Readonly<{ ok: boolean }>;

/** The outcome of something that was done; fails if it was not. */
export function done<O extends Outcome>(outcome: O): O & Readonly<{ ok: true }> {
  return isDone(outcome) ? outcome : assert.fail(JSON.stringify(outcome));
}

function isDone<O extends Outcome>(outcome: O): outcome is O & Readonly<{ ok: true }> {
  return outcome.ok;
}

/** Why something was not done; fails if it was. */
export function reasonOf(outcome: Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>): string {
  return outcome.ok ? assert.fail(`it was done: ${JSON.stringify(outcome)}`) : outcome.reason;
}
