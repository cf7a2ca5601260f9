import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { KeptShapes } from "./event-processor.ts";

/** A full garbage collection. An object read from a WeakRef lives until the turn of the event loop has ended. */
async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  await new Promise((resolve) => setTimeout(resolve, 1));
  runInNewContext("gc()");
}

test("keeps the latest objects of each kind, and no earlier ones", async () => {
  const shapes = new KeptShapes();
  const given = (kind: string): WeakRef<object> => {
    const object = { kind };
    shapes.keep(kind, [object]);
    return new WeakRef(object);
  };
  const early = given("DATA");
  const [mail, connect] = [given("DATA"), given("CONNECT")];
  await collect();
  assert.deepEqual(
    [early, mail, connect].map((ref) => ref.deref()?.constructor),
    [undefined, Object, Object],
  );
  shapes.keep("CONNECT", []);
  await collect();
  assert.deepEqual(
    [mail, connect].map((ref) => ref.deref()?.constructor),
    [Object, undefined],
  );
});
