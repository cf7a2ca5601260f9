import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type Kit, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { PASSWORD } from "../../../test/kit/fake-guard.ts";

const DENIED = { ok: false, kind: "failed", message: "Again.", next: "Do.", denied: "proof_needed" } as const;

function send(kit: Kit, cookie: string, [method, path]: readonly [string, string], body?: unknown): Promise<Response> {
  const init = { method, headers: { cookie }, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return fetch(`${kit.url}/api/v1/${path}`, init);
}

function isCoded(value: unknown): value is Readonly<{ code: string }> {
  return typeof value === "object" && value !== null && "code" in value;
}

test("a set-up tells its secret and the recovery codes, each once", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  const started = { secret: "GEZDGNBV", uri: "otpauth://totp/x?secret=GEZDGNBV" };
  kit.guard.answers("totp_begin", started);
  kit.guard.answers("totp_confirm", { recoveryCodes: ["aaaa-bbbb"] });
  kit.guard.answers("recovery_renew", { recoveryCodes: ["cccc-dddd"] });
  kit.guard.answers("totp_remove", { done: true });
  const begins = await send(kit, cookie, ["POST", "factors/totp"]);
  assert.deepEqual(await begins.json(), started);
  assert.equal(begins.headers.get("cache-control"), "no-store");
  const confirmed = await send(kit, cookie, ["POST", "factors/totp/confirm"], { code: "123 456" });
  assert.deepEqual(await confirmed.json(), { recoveryCodes: ["aaaa-bbbb"] });
  assert.deepEqual(kit.guard.of("totp_confirm"), [{ verb: "totp_confirm", code: "123 456" }]);
  const renewed = await send(kit, cookie, ["POST", "factors/recovery"]);
  assert.deepEqual(await renewed.json(), { recoveryCodes: ["cccc-dddd"] });
  assert.equal((await send(kit, cookie, ["DELETE", "factors/totp"])).status, 200);
});

test("what the guard wants a fresh proof for is 403, and a token changes nothing", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  const routes = [
    ["POST", "factors/totp", "totp_begin"],
    ["DELETE", "factors/totp", "totp_remove"],
    ["POST", "factors/recovery", "recovery_renew"],
  ] as const;
  for (const [method, path, verb] of routes) {
    kit.guard.replies.set(verb, DENIED);
    const denied = await send(kit, cookie, [method, path]);
    const body: unknown = await denied.json();
    assert.ok(denied.status === 403 && isCoded(body) && body.code === "proof_needed", path);
    assert.equal((await fetch(`${kit.url}/api/v1/${path}`, { method, headers: bearer })).status, 401, path);
  }
});

test("a code is asked for at the sign-in and at the proof, in words that a program tells apart", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  kit.guard.answers("sign_in", { outcome: "code_needed" });
  const half = await send(kit, "", ["POST", "login"], { password: PASSWORD });
  const body: unknown = await half.json();
  assert.ok(half.status === 401 && isCoded(body) && body.code === "code_needed");
  assert.equal(half.headers.get("set-cookie"), null);
  await send(kit, "", ["POST", "login"], { password: PASSWORD, code: "123456" });
  const given = kit.guard.of("sign_in").map((command) => ("code" in command ? command.code : undefined));
  assert.deepEqual(given.slice(-2), [undefined, "123456"]);
  const caller = [...kit.guard.callers.values()].at(-1) ?? assert.fail();
  kit.guard.answers("prove", { outcome: "code_needed", caller });
  const proof = await send(kit, cookie, ["POST", "session/proof"], { password: PASSWORD, code: "1" });
  const says: unknown = await proof.json();
  assert.ok(proof.status === 401 && isCoded(says) && says.code === "code_needed");
  assert.deepEqual(kit.guard.of("prove"), [{ verb: "prove", password: PASSWORD, code: "1" }]);
  for (const code of ["x".repeat(65), 123_456, null])
    assert.equal((await send(kit, "", ["POST", "login"], { password: PASSWORD, code })).status, 400, String(code));
});

test("a wrong code is reported like a wrong password, to the caller and to Fail2ban", async (t) => {
  const kit = await startKit(t);
  const wrong = await send(kit, "", ["POST", "login"], { password: "wrong", code: "123456" });
  kit.guard.answers("sign_in", { outcome: "wrong" });
  const wrongCode = await send(kit, "", ["POST", "login"], { password: PASSWORD, code: "123456" });
  assert.deepEqual([wrong.status, await wrong.text()], [wrongCode.status, await wrongCode.text()]);
});
