import assert from "node:assert/strict";

/** Why something was not done; fails if it was. */
export function reasonOf(outcome: Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>): string {
  return outcome.ok ? assert.fail(`it was done: ${JSON.stringify(outcome)}`) : outcome.reason;
}
