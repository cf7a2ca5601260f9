import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { oneAfterAnother } from "./one-after-another.ts";

test("work starts after the work before it has ended or failed, and returns its own result", async () => {
  const inTurn = oneAfterAnother();
  const seen: string[] = [];
  const work = (name: string) => async (): Promise<string> => {
    seen.push(`${name} starts`);
    await turn();
    seen.push(`${name} ends`);
    if (name === "second") throw new Error("second failed");
    return name;
  };
  const [first, second, third] = await Promise.allSettled(
    ["first", "second", "third"].map((name) => inTurn(work(name))),
  );
  assert.deepEqual(
    seen,
    ["first", "second", "third"].flatMap((name) => [`${name} starts`, `${name} ends`]),
  );
  assert.deepEqual(
    [first, third],
    ["first", "third"].map((value) => ({ status: "fulfilled", value })),
  );
  assert.equal(second?.status, "rejected");
});
