import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitAnswers, type Probe } from "./probes.ts";

/** A part that answers from this attempt on. */
function part(name: string, from: number, isWanted = true): Probe {
  let attempts = 0;
  return {
    name,
    service: "dovecot",
    notice: "dovecot_silent",
    everyMs: 1,
    timeoutMs: 1,
    check: () =>
      Promise.resolve(++attempts >= from ? { ok: true } : { ok: false, hangs: false, says: "connection refused" }),
    isWanted: () => isWanted,
  };
}

test("each part is asked until it answers", async () => {
  assert.equal(await awaitAnswers([part("one", 1), part("two", 4)], 10_000, 1), null);
  assert.equal(await awaitAnswers([]), null);
});

test("the part that does not answer in time is named, with its last output", async () => {
  assert.equal(
    await awaitAnswers([part("one", 1), part("two", Infinity)], 5, 1),
    "two does not answer after the restart: connection refused",
  );
});

test("parts that the configuration does not use are not asked", async () => {
  assert.equal(await awaitAnswers([part("off", Infinity, false)], 5, 1), null);
});
