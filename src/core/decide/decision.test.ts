import assert from "node:assert/strict";
import { test } from "node:test";
import { decision } from "./decision.ts";

test("a decision counts and is recorded unless it says otherwise", () => {
  assert.deepEqual(decision("pass", "below_limit"), {
    verdict: "pass",
    reason: "below_limit",
    evidence: null,
    counted: true,
    recorded: true,
    changes: [],
    fill: null,
  });
});

test("further fields of a decision are kept", () => {
  const extra = {
    evidence: { count: 11, limit: 10, windowMs: 60_000, key: "limits.mail.per_minute" },
    counted: false,
    recorded: false,
    changes: [{ type: "FORGET_GUESSES", account: null }],
    fill: { ip: "203.0.113.7" },
  } as const;
  assert.deepEqual(decision("refuse", "banned", extra), { verdict: "refuse", reason: "banned", ...extra });
});
