import assert from "node:assert/strict";
import { test } from "node:test";
import { limitFrom } from "./limit.ts";

test("a limit from 1 to 10000 is taken, and the usual one where none is given", () => {
  assert.equal(limitFrom(null, 50, "events"), 50);
  for (const [text, limit] of [
    ["1", 1],
    ["007", 7],
    ["10000", 10_000],
  ] as const)
    assert.equal(limitFrom(text, 50, "events"), limit);
});

test("anything else is wrong usage, and says what to give", () => {
  for (const text of ["0", "10001", "9999999", "-1", "1.5", "x", "", "1e3"])
    assert.deepEqual(limitFrom(text, 50, "events"), {
      ok: false,
      exit: "wrong_usage",
      message: `"${text}" is not a number of events.`,
      next: "Give 1 to 10000.",
    });
});
