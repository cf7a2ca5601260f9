import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn, startKit } from "../../../test/kit/api-kit.ts";
import { tokenNamed } from "../../../test/kit/fake-guard.ts";
import { SCOPES } from "../../core/access/scopes.ts";

const USED = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", signature: "MEUC" };
const CALLER = { ...tokenNamed("admin", SCOPES), how: "session", session: "0a1b2c3d4e5f" } as const;

const STRANGER = {};

test("a stranger gets a challenge, unless its address asks too often or another site's page asks", async (t) => {
  const kit = await startKit(t);
  kit.guard.answers("passkey_challenge", { challenge: "abc" });
  assert.partialDeepStrictEqual(await kit.send("POST", "login/passkey", undefined, STRANGER), {
    status: 200,
    answer: { challenge: "abc" },
  });
  assert.deepEqual(kit.guard.of("passkey_challenge"), [{ verb: "passkey_challenge", ip: "127.0.0.1" }]);
  const foreign = await kit.send("POST", "login/passkey", undefined, { origin: "https://evil.example" });
  assert.partialDeepStrictEqual(foreign, { status: 403, answer: { code: "foreign_origin" } });
  kit.guard.answers("passkey_challenge", { challenge: null });
  assert.partialDeepStrictEqual(await kit.send("POST", "login/passkey", undefined, STRANGER), {
    status: 429,
    answer: { code: "login_refused" },
  });
});

test("a passkey signs in where the password does, and a wrong one hears the same words", async (t) => {
  const kit = await startKit(t);
  const reply = { outcome: "in", secret: "s".repeat(43), known: "known", caller: CALLER } as const;
  kit.guard.answers("sign_in_passkey", reply);
  const opened = await fetch(`${kit.url}/api/v1/login`, { method: "POST", body: JSON.stringify({ passkey: USED }) });
  assert.equal(opened.status, 200);
  assert.match(opened.headers.get("set-cookie") ?? "", /^ghostinbox=s{43};.*HttpOnly; SameSite=Strict/);
  const from = { ip: "127.0.0.1", device: "unknown device", known: null };
  assert.partialDeepStrictEqual(kit.guard.of("sign_in_passkey"), [{ verb: "sign_in_passkey", ...USED, ...from }]);
  const wrongPassword = await kit.send("POST", "login", { password: "wrong" }, STRANGER);
  kit.guard.answers("sign_in_passkey", { outcome: "wrong" });
  const wrong = await kit.send("POST", "login", { passkey: USED }, STRANGER);
  assert.deepEqual(wrong, wrongPassword);
  assert.equal(wrong.status, 401);
});

test("a request with neither password nor passkey is refused for what the closer of the two lacks", async (t) => {
  const kit = await startKit(t);
  for (const [body, detail] of [
    [{}, "password is missing, or not text."],
    [{ passkey: { ...USED, id: "a=" } }, "passkey.id is not base64url."],
    [{ passkey: { ...USED, more: 1 } }, "more is not known here."],
  ] as const)
    assert.partialDeepStrictEqual(await kit.send("POST", "login", body, STRANGER), {
      status: 400,
      answer: { code: "invalid_request", detail },
    });
});

test("a session proves itself with one", async (t) => {
  const kit = await startKit(t);
  const headers = { cookie: await signIn(kit) };
  const freshUntil = "2026-11-20T07:10:00.000Z";
  const fresh = { ...CALLER, freshUntil };
  kit.guard.answers("prove_passkey", { outcome: "proved", caller: fresh });
  const proved = await kit.send("POST", "session/proof", { passkey: USED }, headers);
  assert.partialDeepStrictEqual(proved, { status: 200, answer: { freshUntil } });
  kit.guard.answers("prove_passkey", { outcome: "wrong", caller: CALLER });
  const wrong = await kit.send("POST", "session/proof", { passkey: USED }, headers);
  assert.partialDeepStrictEqual(wrong, { status: 401, answer: { code: "login_refused" } });
});
