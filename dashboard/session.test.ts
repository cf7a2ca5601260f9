import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { signedIn } from "./attempt.ts";
import { findSession, may, reader, trouble } from "./session.ts";

const VIEWER = { name: "admin", role: "viewer", scopes: ["read"], freshUntil: null };

/** Answers in turn; null: no connection. */
function serve(t: TestContext, answers: readonly (number | null)[]): () => number {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  signedIn.value = "unknown";
  reader.value = null;
  const left = [...answers];
  t.mock.method(globalThis, "fetch", () => {
    const status = left.shift() ?? null;
    if (status === null) return Promise.reject(new TypeError("no connection"));
    const body = status === 200 ? VIEWER : { detail: `It is ${status}.` };
    return Promise.resolve(Response.json(body, { status }));
  });
  return () => left.length;
}

async function later(t: TestContext): Promise<void> {
  t.mock.timers.tick(3_000);
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("a session is found at once, and its lack asks for the password", async (t) => {
  for (const [status, found] of [
    [200, "yes"],
    [401, "no"],
  ] as const) {
    serve(t, [status]);
    await findSession();
    assert.deepEqual([signedIn.value, trouble.value], [found, null]);
    t.mock.reset();
    t.mock.timers.reset();
  }
});

test("a server that cannot answer is asked again until it does, and the page tells why", async (t) => {
  const left = serve(t, [503, null, 503, 200]);
  await findSession();
  assert.deepEqual([signedIn.value, trouble.value], ["unknown", { text: "It is 503.", lang: "en" }]);
  await later(t);
  assert.deepEqual([signedIn.value, trouble.value], ["unknown", { text: "The server cannot be reached.", lang: "en" }]);
  await later(t);
  await later(t);
  assert.deepEqual([signedIn.value, trouble.value, left()], ["yes", null, 0]);
});

test("nothing is offered before the server said what the reader may do, and nothing more than that after", async (t) => {
  serve(t, [200]);
  assert.deepEqual([may("read"), may("ban")], [false, false]);
  await findSession();
  assert.equal(reader.value?.role, "viewer");
  assert.deepEqual([may("read"), may("ban"), may("allow"), may("admin")], [true, false, false, false]);
});
