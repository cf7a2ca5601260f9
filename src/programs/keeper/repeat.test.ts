import assert from "node:assert/strict";
import { test } from "node:test";
import { repeat } from "./repeat.ts";

const ENDLESS = new Promise<never>(() => undefined);

/** Resolves once a successful task has run this often. */
function looked(times: number): Promise<void> {
  return new Promise((resolve) => {
    let looks = 0;
    const look = (): unknown => {
      looks += 1;
      if (looks < times) return null;
      resolve();
      return ENDLESS;
    };
    void repeat({ everyMs: 1, failing: "", look });
  });
}

test("the next run follows one that threw, and one that rejected", async (t) => {
  const said = t.mock.method(console, "error", () => undefined);
  await new Promise<void>((resolve) => {
    let looks = 0;
    const look = (): unknown => {
      looks += 1;
      if (looks === 1) throw new Error("no room");
      if (looks === 2) return Promise.reject(new Error("no answer"));
      resolve();
      return ENDLESS;
    };
    void repeat({ everyMs: 1, failing: "the logs could not be kept", look });
    assert.equal(looks, 0, "a pause comes first");
  });
  assert.deepEqual(
    said.mock.calls.map((call) => call.arguments),
    [["keeper: the logs could not be kept: no room"], ["keeper: the logs could not be kept: no answer"]],
  );
});

test("the next run waits for the end of a long one", async () => {
  let looks = 0;
  const long = Promise.withResolvers<void>();
  const look = (): unknown => {
    looks += 1;
    return looks === 1 ? long.promise : ENDLESS;
  };
  void repeat({ everyMs: 1, atOnce: true, failing: "", look });
  assert.equal(looks, 1, "the first one runs at once");
  await looked(5);
  assert.equal(looks, 1);
  long.resolve();
  await looked(5);
  assert.equal(looks, 2);
});
