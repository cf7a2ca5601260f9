import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { apiKitOf, BAN, bearer, signIn, startKit, tableOf } from "../../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../../test/kit/fake-guard.ts";
import { net } from "../../../../test/kit/samples.ts";
import { until } from "../../../../test/kit/until.ts";
import { isObject } from "../../../admin/declare/fields.ts";
import { SCOPES } from "../../../core/access/scopes.ts";
import { LIMITS } from "../../../guard/limits.ts";
import { CONTROL_LIMITS } from "../../control-server.ts";
import { API_LIMITS } from "../limits.ts";

const kit = apiKitOf(import.meta.filename);
const CALLER = { ...tokenNamed("admin", SCOPES), how: "session", session: "0a1b2c3d4e5f" } as const;

const USED = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", signature: "MEUC" };

for (const [what, verb, body] of [
  ["the password again", "prove", { password: "x" }],
  ["a passkey", "prove_passkey", { passkey: USED }],
] as const)
  test(`${what} makes a session's proof fresh, as the next answer shows`, async () => {
    const cookie = await signIn(kit);
    const freshUntil = "2026-11-20T07:10:00.000Z";
    const fresh = { ...CALLER, freshUntil };
    const who = async () => (await kit.send("GET", "session", undefined, { cookie })).answer;
    const prove = () => kit.send("POST", "session/proof", body, { cookie });
    assert.partialDeepStrictEqual(await who(), { freshUntil: null });
    kit.guard.answers(verb, { outcome: "proved", caller: fresh });
    for (const [secret, { how }] of kit.guard.callers) if (how === "session") kit.guard.callers.set(secret, fresh);
    assert.partialDeepStrictEqual(await prove(), { status: 200, answer: { name: "admin", freshUntil } });
    assert.partialDeepStrictEqual(await who(), { freshUntil }, "at once");
    for (const outcome of ["wrong", "refused"] as const) {
      kit.guard.answers(verb, { outcome, caller: fresh });
      const status = outcome === "wrong" ? 401 : 429;
      assert.partialDeepStrictEqual(await prove(), { status, answer: { code: "login_refused" } });
    }
  });

test("the web makes a token and shows it once; the guard gets only its digest", async () => {
  kit.guard.answers("token_create", { name: "ci" });
  const { status, answer } = await kit.send("POST", "tokens", { name: "ci", scopes: ["read"], expires: "90d" });
  assert.ok(status === 201 && isObject(answer));
  const digest = createHash("sha256").update(String(answer["token"])).digest("hex");
  const asked = { verb: "token_create", name: "ci", digest, scopes: ["read"], for: "90d" };
  assert.deepEqual(kit.guard.asked, [{ asker: AS_TOKEN, command: asked }]);
  await kit.send("POST", "tokens", { name: "ci", scopes: ["viewer", "ban"] });
  assert.partialDeepStrictEqual(kit.guard.asked.at(-1), { command: { scopes: ["viewer", "ban"], for: null } });
  for (const wrong of [
    ...[[], ["root"]].map((scopes) => ({ scopes })),
    ...["a b", "", ".", "..", "x".repeat(65)].map((name) => ({ name })),
    ...["soon", "0s"].map((expires) => ({ expires })),
    { role: "owner" },
  ]) {
    const sent = { name: "ci", scopes: ["read"], ...wrong };
    assert.equal((await kit.send("POST", "tokens", sent)).status, 400, JSON.stringify(wrong));
  }
});

test("routes that the web answers itself need the scope read; a token without it may still ban", async () => {
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["ban"]));
  kit.guard.answers("ban", { ban: BAN });
  for (const row of tableOf(kit).filter(({ who, method }) => who === "session_or_token" && method === "GET")) {
    const response = await fetch(`${kit.url}${row.path.replace(/\{\w+\}/, "203.0.113.7")}`, { headers: bearer });
    assert.equal(response.status, row.path === "/api/v1/session" ? 200 : 403, row.path);
    if (response.status === 403) assert.match(await response.text(), /lacks the scope (read|admin)/);
  }
  assert.equal((await kit.send("POST", "bans", { ip: "203.0.113.7" })).status, 201);
});

test("sign-ins of strangers are limited, and leave connections to the guard for others", async (t) => {
  const kit = await startKit(t, { trustedProxies: [net("127.0.0.1")] });
  const answers: (() => void)[] = [];
  const { mock } = t.mock.method(kit.guard, "ask", () => {
    const { promise, resolve } = Promise.withResolvers();
    answers.push(() => resolve({ ok: true, result: { outcome: "refused", challenge: null } }));
    return promise;
  });
  const { signInsAtOnce, mailboxSignInsAtOnce, unknownAtOnce } = API_LIMITS;
  for (const [path, atOnce] of Object.entries({ login: signInsAtOnce, "login/passkey": unknownAtOnce })) {
    const before = mock.callCount();
    const body = path === "login" ? { password: "x" } : undefined;
    const sent = Array.from({ length: atOnce + 10 }, (_, i) =>
      kit.send("POST", path, body, { "x-forwarded-for": `198.51.100.${i}` }),
    );
    await until(() => mock.callCount() === before + atOnce);
    for (let answered = 0; answered < atOnce + 10; answered++) {
      await until(() => answers.length > 0);
      assert.ok(answers.length <= atOnce);
      answers.shift()?.();
    }
    for (const { status } of await Promise.all(sent)) assert.equal(status, 429);
  }
  assert.ok(signInsAtOnce > 2 * LIMITS.dashboardLogins + 2, "those that the guard refuses at once have places left");
  assert.ok(mailboxSignInsAtOnce > 4 * LIMITS.mailboxLogins);
  assert.ok(signInsAtOnce + mailboxSignInsAtOnce + 2 * unknownAtOnce < CONTROL_LIMITS.maxConnections - 32);
});

test("a stranger gets a challenge, unless its address asks too often or another site's page asks", async () => {
  const ask = (headers: Readonly<Record<string, string>> = {}) => kit.send("POST", "login/passkey", undefined, headers);
  kit.guard.answers("passkey_challenge", { challenge: "abc" });
  assert.partialDeepStrictEqual(await ask(), { status: 200, answer: { challenge: "abc" } });
  assert.deepEqual(kit.guard.of("passkey_challenge"), [{ verb: "passkey_challenge", ip: "127.0.0.1" }]);
  const foreign = await ask({ origin: "https://evil.example" });
  assert.partialDeepStrictEqual(foreign, { status: 403, answer: { code: "foreign_origin" } });
  kit.guard.answers("passkey_challenge", { challenge: null });
  assert.partialDeepStrictEqual(await ask(), { status: 429, answer: { code: "login_refused" } });
});

test("a passkey signs in at the same route as the password, and a wrong one gets the same answer", async () => {
  const reply = { outcome: "in", secret: "s".repeat(43), known: "known", caller: CALLER } as const;
  kit.guard.answers("sign_in_passkey", reply);
  const opened = await fetch(`${kit.url}/api/v1/login`, { method: "POST", body: JSON.stringify({ passkey: USED }) });
  assert.equal(opened.status, 200);
  assert.match(opened.headers.get("set-cookie") ?? "", /^ghostinbox=s{43};.*HttpOnly; SameSite=Strict/);
  const from = { ip: "127.0.0.1", device: "unknown device", known: null };
  assert.partialDeepStrictEqual(kit.guard.of("sign_in_passkey"), [{ verb: "sign_in_passkey", ...USED, ...from }]);
  const wrongPassword = await kit.send("POST", "login", { password: "wrong" }, {});
  kit.guard.answers("sign_in_passkey", { outcome: "wrong" });
  const wrong = await kit.send("POST", "login", { passkey: USED }, {});
  assert.deepEqual(wrong, wrongPassword);
  assert.equal(wrong.status, 401);
});

test("a request with neither password nor passkey is refused with the fault of the closer of the two", async () => {
  for (const [body, detail] of [
    [{}, "password is missing, or not text."],
    [{ passkey: { ...USED, id: "a=" } }, "passkey.id is not base64url."],
    [{ passkey: { ...USED, more: 1 } }, "more is not a known field."],
  ] as const)
    assert.partialDeepStrictEqual(await kit.send("POST", "login", body, {}), {
      status: 400,
      answer: { code: "invalid_request", detail },
    });
});
