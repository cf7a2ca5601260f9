import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bearer, startKit } from "../../../../test/kit/api-kit.ts";
import { ACCOUNT, AS_TOKEN, tokenNamed } from "../../../../test/kit/fake-guard.ts";
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
const PROOF_NEEDED = { ok: false, kind: "failed", message: "Again.", next: "", denied: "proof_needed" } as const;

async function started(t: TestContext) {
  const kit = await startKit(t);
  const send = async (method: string, path: string, body?: unknown) => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${kit.url}/api/v1/accounts${path}`, { method, headers: bearer, ...content });
    const answer: unknown = await response.json();
    return { status: response.status, answer };
  };
  const done = ({ by }: (typeof kit.guard.asked)[number]) => by === "web" || by.isDry !== true;
  const commands = () => kit.guard.asked.filter(done).map(({ command }) => command);
  return { kit, send, commands };
}

/** Every route, with a body that is right. */
const ROUTES = [
  ["GET", ""],
  ["POST", "", { name: ANNA, password: WORDS }],
  ["POST", "/import", { file: `${ANNA}|{SSHA512}c2FsdA==` }],
  ["GET", `/${ANNA}`],
  ["DELETE", `/${ANNA}`],
  ["POST", `/${ANNA}/password`, { password: WORDS }],
  ["POST", `/${ANNA}/suspend`],
  ["POST", `/${ANNA}/resume`],
  ["PUT", `/${ANNA}/quota`, { quotaBytes: 0 }],
  ["POST", `/${ANNA}/networks`, { networks: ["203.0.113.0/24"] }],
  ["DELETE", `/${ANNA}/networks/203.0.113.0/24`],
] as const;
const PROVEN = ["account_create", "account_set_password", "account_remove", "accounts_import"] as const;

test("accounts are listed with a text and a cursor, a bounded page at a time", async (t) => {
  const { kit, send, commands } = await started(t);
  const page = { next: null, total: 1, passwordsOnServer: false };
  kit.guard.replies.set("account_list", { ok: true, result: { items: [ITEM], ...page } });
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
  kit.guard.replies.set("account_details", { ok: true, result: ACCOUNT });
  assert.deepEqual(await send("GET", `/${ANNA}`), { status: 200, answer: ACCOUNT });
  const none = { ok: false, kind: "failed", message: "There is none.", next: "", isMissing: true } as const;
  kit.guard.replies.set("account_details", none);
  assert.partialDeepStrictEqual(await send("GET", `/${ANNA}`), { status: 404, answer: { code: "not_found" } });
  assert.equal((await send("GET", "/nonsense")).status, 400);
});

test("a typed password is judged first and never shown; a generated one is shown once", async (t) => {
  const { kit, send, commands } = await started(t);
  for (const verb of ["account_create", "account_set_password"] as const)
    kit.guard.replies.set(verb, { ok: true, result: { name: ANNA } });
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
  for (const verb of ["account_suspend", "account_resume"] as const) kit.guard.replies.set(verb, { ok: true, result });
  kit.guard.replies.set("account_remove", { ok: true, result: { name: ANNA } });
  kit.guard.replies.set("quota_set", { ok: true, result: { name: ANNA, quotaBytes: null } });
  for (const verb of ["networks_add", "networks_remove"] as const)
    kit.guard.replies.set(verb, { ok: true, result: { name: ANNA, networks: [] } });
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

test("without the scope admin nothing of it is answered, and the guard is not asked", async (t) => {
  const { kit, send } = await started(t);
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow"]));
  for (const [method, path, body] of ROUTES) {
    const expected = { status: 403, answer: { code: "not_allowed" } };
    assert.partialDeepStrictEqual(await send(method, path, body), expected, `${method} ${path}`);
  }
  assert.deepEqual(kit.guard.asked, []);
});

test("a request without a fresh proof is answered as such", async (t) => {
  const { kit, send } = await started(t);
  for (const verb of PROVEN) kit.guard.replies.set(verb, PROOF_NEEDED);
  const proven = ROUTES.filter(([method, path]) =>
    method === "DELETE" ? path === `/${ANNA}` : /^$|import|password/.test(path),
  );
  const asked = proven.filter(([method, path]) => `${method} ${path}` !== "GET ");
  assert.equal(asked.length, PROVEN.length);
  for (const [method, path, body] of asked)
    assert.partialDeepStrictEqual(
      await send(method, path, body),
      { status: 403, answer: { code: "proof_needed" } },
      `${method} ${path}`,
    );
});
