import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { post, Refused } from "./api.ts";
import { complain, GivenUp, toasts } from "./attempt.ts";
import { proofAsked, withProof } from "./session.ts";

const NEEDED = { status: 403, code: "proof_needed", detail: "This needs the password again." };

/** The server wants a proof until `prove` was called. */
function serve(t: TestContext) {
  const seen: string[] = [];
  let isProved = false;
  t.mock.method(globalThis, "fetch", (path: string) => {
    seen.push(path);
    return Promise.resolve(
      isProved ? Response.json({ name: path }) : Response.json(NEEDED, { status: 403, statusText: "Forbidden" }),
    );
  });
  const prove = (): void => {
    isProved = true;
    proofAsked.value?.given();
  };
  return { seen, prove };
}

async function asked(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.notEqual(proofAsked.value, null);
}

test("a request that needs a proof is made again once it was given, and one question is for all that wait", async (t) => {
  const { seen, prove } = serve(t);
  const both = Promise.all(["one", "two"].map((path) => withProof(() => post<{ name: string }>(path, {}))));
  await asked();
  prove();
  assert.deepEqual(
    (await both).map(({ name }) => name),
    ["api/v1/one", "api/v1/two"],
  );
  assert.deepEqual(seen, ["api/v1/one", "api/v1/two", "api/v1/one", "api/v1/two"]);
  assert.equal(proofAsked.value, null);
});

test("a reader who cancels gets no error, and is asked again the next time", async (t) => {
  const { seen, prove } = serve(t);
  const first = withProof(() => post("one", {}));
  await asked();
  proofAsked.value?.giveUp();
  await assert.rejects(first, GivenUp);
  complain(await first.catch((error: unknown) => error));
  assert.deepEqual(toasts.value, []);
  const second = withProof(() => post("one", {}));
  await asked();
  prove();
  await second;
  assert.equal(seen.length, 3);
});

test("any other refusal is passed on with its code, and asks for nothing", async (t) => {
  t.mock.method(globalThis, "fetch", () =>
    Promise.resolve(Response.json({ code: "not_allowed", detail: "No." }, { status: 403 })),
  );
  const failure = await withProof(() => post("one", {})).catch((error: unknown) => error);
  assert.ok(failure instanceof Refused);
  assert.deepEqual([failure.status, failure.code, failure.message], [403, "not_allowed", "No."]);
  assert.equal(proofAsked.value, null);
});
