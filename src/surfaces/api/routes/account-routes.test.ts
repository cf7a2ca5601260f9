import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf } from "../../../../test/kit/api-kit.ts";
import { JudgesBusy } from "../ports.ts";

const ANNA = "anna@example.org";
const WORDS = "seven purple boats";

const kit = apiKitOf(import.meta.filename);
const post = (path: string, body: object) => kit.send("POST", `accounts${path}`, body);
const commands = () => kit.guard.asked.flatMap(({ command, isDry }) => (isDry === true ? [] : [command]));

test("a typed password is judged first and never shown; a generated one is shown once", async (t) => {
  for (const verb of ["account_create", "account_set_password"] as const) kit.guard.answers(verb, { name: ANNA });
  const weak = await post("", { name: ANNA, password: "weak" });
  const next = "Choose another one: several unrelated words make a good one. Or give none, and the server makes one.";
  assert.partialDeepStrictEqual(weak, {
    status: 400,
    answer: { code: "invalid_request", detail: "It is weak.", next },
  });
  assert.deepEqual(commands(), []);
  const given = { name: ANNA, password: null };
  assert.deepEqual(await post("", { name: ANNA, password: WORDS }), { status: 201, answer: given });
  assert.deepEqual(await post(`/${ANNA}/password`, { password: WORDS }), { status: 200, answer: given });
  assert.deepEqual(commands(), [
    { verb: "account_create", name: ANNA, password: WORDS },
    { verb: "account_set_password", name: ANNA, password: WORDS },
  ]);
  for (const [path, body] of [
    ["", { name: ANNA }],
    [`/${ANNA}/password`, {}],
  ] as const) {
    const { answer } = await post(path, body);
    const [asked] = commands().slice(-1);
    assert.ok(asked !== undefined && "password" in asked && asked.password.length === 23);
    assert.deepEqual(answer, { name: ANNA, password: asked.password });
  }
  t.mock.method(kit.parts.passwords, "judge", () => Promise.reject(new JudgesBusy("too many")));
  const { status, answer } = await post("", { name: ANNA, password: WORDS });
  assert.equal(status, 503, "unjudged, none is set");
  assert.match(JSON.stringify(answer), /The password could not be judged in time/);
});

test("the guard is asked before a password is judged, and a refused one is never judged", async (t) => {
  const judge = t.mock.method(kit.parts.passwords, "judge");
  const judgeSome = t.mock.method(kit.parts.passwords, "judgeSome");
  for (const verb of ["account_create", "account_set_password", "accounts_import"] as const)
    kit.guard.refuses(verb, "", { denied: "proof_needed" });
  for (const [path, body] of [
    ["", { name: ANNA, password: WORDS }],
    [`/${ANNA}/password`, { password: WORDS }],
    ["/import", { file: `${ANNA}|{PLAIN}${WORDS}\n` }],
  ] as const)
    assert.equal((await post(path, body)).status, 403, path);
  assert.deepEqual([judge.mock.callCount(), judgeSome.mock.callCount()], [0, 0]);
});
