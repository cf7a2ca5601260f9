import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/kit/until.ts";
import { repeat } from "./repeat.ts";

const ENDLESS = new Promise<never>(() => undefined);

/** Resolves once a successful task has run this often. */
async function looked(times: number): Promise<void> {
  let looks = 0;
  const look = (): unknown => {
    looks += 1;
    return looks < times ? null : ENDLESS;
  };
  void repeat({ everyMs: 1, failing: "", look });
  await until(() => looks === times);
}

test("the next run follows one that threw, and one that rejected; the same failure is logged once", async (t) => {
  const said = t.mock.method(console, "error", () => undefined);
  let looks = 0;
  const look = (): unknown => {
    looks += 1;
    if (looks < 3) throw new Error("no room");
    return looks === 3 ? Promise.reject(new Error("no answer")) : ENDLESS;
  };
  void repeat({ everyMs: 1, failing: "the logs could not be kept", look });
  assert.equal(looks, 0, "a pause comes first");
  await until(() => looks === 4);
  const lines = said.mock.calls.flatMap((call) => call.arguments);
  const why = ["no room", "no answer"].map((reason) => `keeper: the logs could not be kept: ${reason}`);
  assert.deepEqual(lines, why);
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
