import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { answerRequests } from "../test/kit/answered-requests.ts";
import { settled } from "../test/kit/until.ts";
import { failureOf, RequestError, request } from "./api.ts";
import { Cancelled, forgetToasts, reportFailure, signedIn, toasts } from "./attempt.ts";
import { change, findSession, followTabs, pendingProof, reader, sessionFailure, withProof } from "./session.ts";

const ADMINISTRATOR = { name: "admin", role: "owner", scopes: ["read"], account: null } as const;

/** Answers in turn; null: no connection. */
function serve(t: TestContext, answers: readonly (number | null)[]): () => number {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  signedIn.value = "unknown";
  reader.value = null;
  const left = [...answers];
  answerRequests(t, () => {
    const status = left.shift() ?? null;
    if (status === null) throw new TypeError("no connection");
    return status === 200 ? ADMINISTRATOR : Response.json({ detail: `It is ${status}.` }, { status });
  });
  return () => left.length;
}

async function later(t: TestContext): Promise<void> {
  t.mock.timers.tick(3_000);
  await settled();
}

test("a server that cannot answer is asked again until it does, and the page says why", async (t) => {
  const left = serve(t, [503, null, 503, 200]);
  await findSession();
  assert.deepEqual([signedIn.value, sessionFailure.value], ["unknown", { text: "It is 503.", lang: "en" }]);
  await later(t);
  assert.deepEqual(
    [signedIn.value, sessionFailure.value],
    ["unknown", { text: "The server cannot be reached.", lang: "en" }],
  );
  await later(t);
  await later(t);
  assert.deepEqual([signedIn.value, sessionFailure.value, left()], ["yes", null, 0]);
});

test("a tab reloads once another one shows a different reader, or none", (t) => {
  serve(t, []);
  const said: string[] = [];
  const tabs = Object.assign(new EventTarget(), { postMessage: (name: string) => said.push(name) });
  let reloads = 0;
  followTabs(tabs, () => (reloads += 1));
  const hears = (data: string): number => {
    tabs.dispatchEvent(new MessageEvent("message", { data }));
    return reloads;
  };
  assert.deepEqual([said, hears("admin")], [[], 0], "not known yet");
  reader.value = ADMINISTRATOR;
  signedIn.value = "yes";
  assert.deepEqual([hears("admin"), hears(""), hears("anna@example.test")], [0, 1, 2]);
  signedIn.value = "no";
  reader.value = null;
  assert.deepEqual([said.at(0), said.at(-1), hears("")], ["admin", "", 2]);
});

const NEEDED = { status: 403, code: "proof_needed", detail: "This needs the password again." };

/** The server wants a proof until `prove` was called. */
function proving(t: TestContext) {
  let isProved = false;
  const seen = answerRequests(t, (request) => (isProved ? { name: request } : Response.json(NEEDED, { status: 403 })));
  const prove = (): void => {
    isProved = true;
    pendingProof.value?.resolve();
  };
  return { seen, prove };
}

async function asked(): Promise<void> {
  await settled();
  assert.notEqual(pendingProof.value, null);
}

test("a request that needs a proof is repeated once the proof is given, and one question serves all that wait", async (t) => {
  const { seen, prove } = proving(t);
  const names = ["one", "two"];
  const both = Promise.all(names.map((name) => withProof(() => request("POST /me/app-passwords", { body: { name } }))));
  await asked();
  prove();
  const made = names.map((name) => `POST me/app-passwords {"name":"${name}"}`);
  assert.deepEqual(
    await both,
    names.map(() => ({ name: "POST me/app-passwords" })),
  );
  assert.deepEqual(seen, [...made, ...made]);
  assert.equal(pendingProof.value, null);
});

test("a reader who cancels gets no error, and is asked again the next time", async (t) => {
  const { seen, prove } = proving(t);
  const first = withProof(() => request("POST /me/password", { body: { password: "correct horse battery" } }));
  await asked();
  pendingProof.value?.reject(new Cancelled());
  await assert.rejects(first, Cancelled);
  reportFailure(await first.catch((error: unknown) => error));
  assert.deepEqual(toasts.value, []);
  const second = withProof(() => request("POST /me/password", { body: { password: "correct horse battery" } }));
  await asked();
  prove();
  await second;
  assert.equal(seen.length, 3);
});

test("a sign-in is requested where the reader is when the session has ended, and only once, unless no one is signed in", async (t) => {
  const over = () => Response.json({ code: "unauthorized", detail: "A session is needed." }, { status: 401 });
  const answers = [over(), {}, over(), over(), over()];
  answerRequests(t, () => answers.shift());
  reader.value = ADMINISTRATOR;
  const first = withProof(() => request("PUT /me/vacation", { body: { text: "I am away." } }));
  await asked();
  assert.equal(pendingProof.value?.isOver, true);
  pendingProof.value.resolve();
  await first;
  const second = withProof(() => request("PUT /me/vacation", { body: { text: "I am away." } }));
  await asked();
  pendingProof.value.resolve();
  await assert.rejects(second, { code: "unauthorized" });
  reader.value = null;
  await assert.rejects(
    withProof(() => request("PUT /me/vacation", { body: { text: "I am away." } })),
    { code: "unauthorized" },
  );
  assert.equal(pendingProof.value, null);
});

test("the shown data is read again after a change, whether it was refused or not", async (t) => {
  const answers = [Response.json({ detail: "It is changed, but sessions are open." }, { status: 409 }), { held: 2 }];
  answerRequests(t, () => answers.shift());
  let read = 0;
  const suspend = () =>
    change(
      () => request("POST /accounts/{name}/suspend", { params: { name: "anna" } }),
      () => (read += 1),
      ({ held }) => `${held} on hold`,
    );
  await assert.rejects(suspend(), { message: "It is changed, but sessions are open." });
  assert.equal(read, 1);
  await suspend();
  assert.deepEqual([toasts.value.map(({ text }) => text), read], [["2 on hold"], 2]);
  forgetToasts();
});

test("any other refusal is passed on with its code, and asks for nothing", async (t) => {
  answerRequests(t, () => Response.json({ code: "not_allowed", detail: "No." }, { status: 403 }));
  const failure = await withProof(() =>
    request("POST /me/password", { body: { password: "correct horse battery" } }),
  ).catch((error: unknown) => error);
  assert.ok(failure instanceof RequestError);
  assert.deepEqual([failure.status, failure.code, failure.message], [403, "not_allowed", "No."]);
  assert.deepEqual(failureOf(failure), { text: "No.", lang: "en" }, "an English page says what the server says");
  assert.equal(pendingProof.value, null);
});
