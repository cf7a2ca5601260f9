import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn, startKit } from "../../../test/kit/api-kit.ts";
import { PASSWORD } from "../../../test/kit/fake-guard.ts";

test("a set-up tells its secret and the recovery codes, each once", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  const started = { secret: "GEZDGNBV", uri: "otpauth://totp/x?secret=GEZDGNBV" };
  kit.guard.answers("totp_begin", started);
  kit.guard.answers("totp_confirm", { recoveryCodes: ["aaaa-bbbb"] });
  kit.guard.answers("recovery_renew", { recoveryCodes: ["cccc-dddd"] });
  kit.guard.answers("totp_remove", { done: true });
  const begins = await fetch(`${kit.url}/api/v1/factors/totp`, { method: "POST", headers: { cookie } });
  assert.deepEqual(await begins.json(), started);
  assert.equal(begins.headers.get("cache-control"), "no-store");
  const confirmed = await kit.send("POST", "factors/totp/confirm", { code: "123 456" }, { cookie });
  assert.deepEqual(confirmed.answer, { recoveryCodes: ["aaaa-bbbb"] });
  assert.deepEqual(kit.guard.of("totp_confirm"), [{ verb: "totp_confirm", code: "123 456" }]);
  const renewed = await kit.send("POST", "factors/recovery", undefined, { cookie });
  assert.deepEqual(renewed.answer, { recoveryCodes: ["cccc-dddd"] });
  assert.equal((await kit.send("DELETE", "factors/totp", undefined, { cookie })).status, 200);
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
    kit.guard.refuses(verb, "Again.", { next: "Do.", denied: "proof_needed" });
    const denied = await kit.send(method, path, undefined, { cookie });
    assert.partialDeepStrictEqual(denied, { status: 403, answer: { code: "proof_needed" } }, path);
    assert.equal((await kit.send(method, path)).status, 401, path);
  }
});

test("a code is asked for at the sign-in and at the proof, in words that a program tells apart", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  kit.guard.answers("sign_in", { outcome: "code_needed" });
  const half = await fetch(`${kit.url}/api/v1/login`, { method: "POST", body: JSON.stringify({ password: PASSWORD }) });
  assert.partialDeepStrictEqual([half.status, await half.json()], [401, { code: "code_needed" }]);
  assert.equal(half.headers.get("set-cookie"), null);
  await kit.send("POST", "login", { password: PASSWORD, code: "123456" }, {});
  const given = kit.guard.of("sign_in").map((command) => ("code" in command ? command.code : undefined));
  assert.deepEqual(given.slice(-2), [undefined, "123456"]);
  const caller = [...kit.guard.callers.values()].at(-1) ?? assert.fail();
  kit.guard.answers("prove", { outcome: "code_needed", caller });
  const proof = await kit.send("POST", "session/proof", { password: PASSWORD, code: "1" }, { cookie });
  assert.partialDeepStrictEqual(proof, { status: 401, answer: { code: "code_needed" } });
  assert.deepEqual(kit.guard.of("prove"), [{ verb: "prove", password: PASSWORD, code: "1" }]);
  for (const code of ["x".repeat(65), 123_456, null])
    assert.equal((await kit.send("POST", "login", { password: PASSWORD, code }, {})).status, 400, String(code));
});

test("a wrong code is reported like a wrong password, to the caller and to Fail2ban", async (t) => {
  const kit = await startKit(t);
  const wrong = await kit.send("POST", "login", { password: "wrong", code: "123456" }, {});
  kit.guard.answers("sign_in", { outcome: "wrong" });
  const wrongCode = await kit.send("POST", "login", { password: PASSWORD, code: "123456" }, {});
  assert.deepEqual(wrong, wrongCode);
});
