import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startKit } from "../../../../test/kit/api-kit.ts";
import { ACCOUNT } from "../../../../test/kit/fake-guard.ts";
import { JudgesBusy } from "../ports.ts";

const ANNA = "anna@example.org";
const ROW = {
  name: ANNA,
  suspended: false,
  origin: "command",
  networks: ["203.0.113.0/24"],
  quotaBytes: null,
  createdAt: "2026-11-20T06:00:00.000Z",
} as const;
const LAST = { at: "2026-11-20T06:50:00.000Z", from: "203.0.113.9/32" };
const ITEM = { ...ROW, guarded: false, held: false, aliases: 1, lastSignIn: LAST };
const WORDS = "seven purple boats";

async function started(t: TestContext) {
  const kit = await startKit(t);
  const send = (method: string, path: string, body?: unknown) => kit.send(method, `accounts${path}`, body);
  const done = ({ by }: (typeof kit.guard.asked)[number]) => by === "web" || by.isDry !== true;
  const commands = () => kit.guard.asked.filter(done).map(({ command }) => command);
  return { kit, send, commands };
}

test("accounts are listed with a text and a cursor, a bounded page at a time", async (t) => {
  const { kit, send, commands } = await started(t);
  const page = { next: null, total: 1, passwordsOnServer: false };
  kit.guard.answers("account_list", { items: [ITEM], ...page });
  assert.deepEqual(await send("GET", "?text=ann&limit=7&cursor=a"), {
    status: 200,
    answer: { items: [ITEM], ...page },
  });
  assert.equal((await send("GET", "")).status, 200);
  assert.deepEqual(commands(), [
    { verb: "account_list", text: "ann", limit: 7, cursor: "a" },
    { verb: "account_list", text: null, limit: 50, cursor: null },
  ]);
  for (const wrong of ["?limit=0", "?limit=101", "?limit=x", `?text=${"x".repeat(201)}`])
    assert.equal((await send("GET", wrong)).status, 400, wrong);
});

test("one account is shown in full; a missing one is a 404", async (t) => {
  const { kit, send } = await started(t);
  kit.guard.answers("account_details", ACCOUNT);
  assert.deepEqual(await send("GET", `/${ANNA}`), { status: 200, answer: ACCOUNT });
  kit.guard.refuses("account_details", "There is none.", { isMissing: true });
  assert.partialDeepStrictEqual(await send("GET", `/${ANNA}`), { status: 404, answer: { code: "not_found" } });
  assert.equal((await send("GET", "/nonsense")).status, 400);
});

test("a typed password is judged first and never shown; a generated one is shown once", async (t) => {
  const { kit, send, commands } = await started(t);
  for (const verb of ["account_create", "account_set_password"] as const) kit.guard.answers(verb, { name: ANNA });
  const weak = await send("POST", "", { name: ANNA, password: "weak" });
  assert.partialDeepStrictEqual(weak, { status: 400, answer: { code: "invalid_request", detail: "It is weak." } });
  assert.deepEqual(commands(), []);
  const given = { name: ANNA, password: null };
  assert.deepEqual(await send("POST", "", { name: ANNA, password: WORDS }), { status: 201, answer: given });
  assert.deepEqual(await send("POST", `/${ANNA}/password`, { password: WORDS }), { status: 200, answer: given });
  assert.deepEqual(commands(), [
    { verb: "account_create", name: ANNA, password: WORDS },
    { verb: "account_set_password", name: ANNA, password: WORDS },
  ]);
  for (const [path, body] of [
    ["", { name: ANNA }],
    [`/${ANNA}/password`, {}],
  ] as const) {
    const { answer } = await send("POST", path, body);
    const [asked] = commands().slice(-1);
    assert.ok(asked !== undefined && "password" in asked && asked.password.length === 23);
    assert.deepEqual(answer, { name: ANNA, password: asked.password });
  }
  t.mock.method(kit.parts.passwords, "judge", () => Promise.reject(new JudgesBusy("too many")));
  const { status, answer } = await send("POST", "", { name: ANNA, password: WORDS });
  assert.equal(status, 503, "unjudged, none is set");
  assert.match(JSON.stringify(answer), /The password could not be judged in time/);
});

test("an account is suspended, resumed, limited and removed by commands of the guard", async (t) => {
  const { kit, send, commands } = await started(t);
  const result = { name: ANNA, held: 2 };
  for (const verb of ["account_suspend", "account_resume"] as const) kit.guard.answers(verb, result);
  kit.guard.answers("account_remove", { name: ANNA });
  kit.guard.answers("quota_set", { name: ANNA, quotaBytes: null });
  for (const verb of ["networks_add", "networks_remove"] as const)
    kit.guard.answers(verb, { name: ANNA, networks: [] });
  assert.deepEqual(await send("POST", `/${ANNA}/suspend`), { status: 200, answer: result });
  assert.deepEqual(await send("POST", `/${ANNA}/resume`), { status: 200, answer: result });
  assert.deepEqual(await send("PUT", `/${ANNA}/quota`, { quotaBytes: null }), {
    status: 200,
    answer: { name: ANNA, quotaBytes: null },
  });
  assert.equal((await send("POST", `/${ANNA}/networks`, { networks: ["2001:db8::/32"] })).status, 200);
  assert.equal((await send("DELETE", `/${ANNA}/networks/203.0.113.0/24`)).status, 200);
  assert.deepEqual(await send("DELETE", `/${ANNA}`), { status: 200, answer: { name: ANNA } });
  assert.deepEqual(commands(), [
    { verb: "account_suspend", name: ANNA },
    { verb: "account_resume", name: ANNA },
    { verb: "quota_set", name: ANNA, quotaBytes: null },
    { verb: "networks_add", name: ANNA, networks: ["2001:db8::/32"] },
    { verb: "networks_remove", name: ANNA, networks: ["203.0.113.0/24"] },
    { verb: "account_remove", name: ANNA },
  ]);
  for (const [method, path, body] of [
    ["PUT", `/${ANNA}/quota`, { quotaBytes: -1 }],
    ["PUT", `/${ANNA}/quota`, {}],
    ["POST", `/${ANNA}/networks`, { networks: ["0.0.0.0/0"] }],
    ["POST", `/${ANNA}/networks`, { networks: [] }],
    ["POST", "", { name: `<b>${"x".repeat(3_000)}` }],
    ["POST", "", { name: ANNA, hash: "{SSHA}x" }],
    ["POST", `/${ANNA}/password`, { password: "x".repeat(600) }],
  ] as const)
    assert.equal(
      (await send(method, path, body)).status,
      400,
      `${method} ${path} ${JSON.stringify(body).slice(0, 60)}`,
    );
});

test("a request without a fresh proof is answered as such", async (t) => {
  const { kit, send } = await started(t);
  for (const [verb, method, path, body] of [
    ["account_create", "POST", "", { name: ANNA, password: WORDS }],
    ["account_set_password", "POST", `/${ANNA}/password`, { password: WORDS }],
    ["account_remove", "DELETE", `/${ANNA}`, undefined],
    ["accounts_import", "POST", "/import", { file: `${ANNA}|{SSHA512}c2FsdA==` }],
  ] as const) {
    kit.guard.refuses(verb, "Again.", { denied: "proof_needed" });
    assert.partialDeepStrictEqual(
      await send(method, path, body),
      { status: 403, answer: { code: "proof_needed" } },
      verb,
    );
  }
});
