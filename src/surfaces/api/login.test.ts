import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { DISK_FULL, PASSWORD } from "../../../test/kit/fake-guard.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import { until } from "../../../test/kit/until.ts";
import { SCOPES } from "../../core/access/scopes.ts";
import { createCallers } from "./callers.ts";
import { API_LIMITS } from "./limits.ts";
import { deviceOf, signIn as tryToSignIn } from "./login.ts";

const kit = apiKitOf(import.meta.filename);

function attempt(password: unknown, headers: Readonly<Record<string, string>> = {}, { url } = kit): Promise<Response> {
  return fetch(`${url}/api/v1/login`, { method: "POST", headers, body: JSON.stringify({ password }) });
}

async function isIn(cookie: string, { url } = kit): Promise<boolean> {
  return (await fetch(`${url}/api/v1/session`, { headers: { cookie } })).status === 200;
}

test("the right password opens a session, and signing out ends it at once", async () => {
  const response = await attempt(PASSWORD);
  assert.equal(response.status, 200);
  const who = { name: "admin", role: "owner", account: null, scopes: SCOPES, freshUntil: null };
  assert.deepEqual(await response.json(), who);
  const says = /^ghostinbox=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/;
  assert.match(response.headers.getSetCookie()[0] ?? "", says);
  const cookie = await signIn(kit);
  assert.equal(await isIn(cookie), true);
  const left = await fetch(`${kit.url}/api/v1/logout`, { method: "POST", headers: { cookie } });
  assert.equal(left.status, 204);
  assert.match(left.headers.get("set-cookie") ?? "", /^ghostinbox=; .*Max-Age=0/);
  assert.equal(await isIn(cookie), false);
});

test("signing out while the guard is away clears the cookie, and says that the session has not ended", async () => {
  const cookie = await signIn(kit);
  const stream = await fetch(`${kit.url}/api/v1/events/stream`, { headers: { cookie } });
  kit.guard.isDown = true;
  const left = await fetch(`${kit.url}/api/v1/logout`, { method: "POST", headers: { cookie } });
  assert.equal(left.status, 503);
  assert.match(left.headers.get("set-cookie") ?? "", /^ghostinbox=; .*Max-Age=0/);
  kit.advance(API_LIMITS.wrongCredentialsMs);
  assert.equal(await isIn(cookie), false);
  kit.guard.isDown = false;
  assert.equal(await isIn(cookie), false, "however early it is shown again");
  await until(() => kit.guard.of("sign_out").length === 1, "the guard ends it");
  kit.advance(API_LIMITS.wrongCredentialsMs);
  assert.equal(await isIn(cookie), false);
  await stream.body?.cancel();
});

test("the user of a mailbox signs in with its address, and is never taken for the administrator", async () => {
  const post = (body: object) =>
    fetch(`${kit.url}/api/v1/login`, { method: "POST", body: JSON.stringify({ password: PASSWORD, ...body }) });
  const response = await post({ account: "anna@example.org" });
  assert.partialDeepStrictEqual(await response.json(), { role: "mailbox", account: "anna@example.org", scopes: [] });
  assert.equal(response.headers.getSetCookie().length, 1, "no browser is known by it");
  for (const account of ["admin", "", "a b@example.org", 7]) {
    const refused = await post({ account });
    assert.equal(refused.status, 400, String(account));
    assert.match(await refused.text(), /account is not an account name|account is not text/);
  }
  assert.deepEqual(kit.guard.of("sign_in"), []);
});

test("a wrong password and an address that may not try now get the same answer", async () => {
  const wrong = await attempt("wrong");
  kit.guard.answers("sign_in", { outcome: "refused" });
  const refused = await attempt(PASSWORD);
  assert.deepEqual([wrong.status, refused.status], [401, 429]);
  const words = async (response: Response): Promise<unknown> => {
    const body: unknown = await response.json();
    assert.ok(typeof body === "object" && body !== null);
    return { ...body, status: 0, title: "" };
  };
  assert.deepEqual(await words(wrong), await words(refused));
  assert.equal(refused.headers.get("set-cookie"), null);
  assert.equal(refused.headers.get("retry-after"), "5");
  assert.equal(wrong.headers.get("retry-after"), null);
  assert.equal(wrong.headers.get("www-authenticate"), null, "a browser would open its own dialog");
});

test("a mailbox password that the guard did not check gets the same answer as a wrong one", async () => {
  const answered = async (outcome: "wrong" | "unchecked"): Promise<unknown> => {
    kit.guard.answers("sign_in_mailbox", { outcome });
    return kit.send("POST", "login", { account: "anna@example.org", password: PASSWORD }, {});
  };
  const unchecked = await answered("unchecked");
  assert.partialDeepStrictEqual(unchecked, { status: 401 });
  assert.deepEqual(unchecked, await answered("wrong"));
});

test("the log has a line for each wrong password, for Fail2ban, and nothing else", async () => {
  const reported: string[] = [];
  const parts = { ...kit.parts, signInRefused: (one: string) => reported.push(one), callers: createCallers(kit.parts) };
  const from = async (text: string, password: string): Promise<number> => {
    const attempted = { body: { password }, ip: ip(text), secure: false, headers: new Headers() };
    return (await tryToSignIn(parts, attempted)).status;
  };
  assert.equal(await from("203.0.113.1", "wrong"), 401);
  assert.equal(await from("203.0.113.2", PASSWORD), 200);
  kit.guard.answers("sign_in", { outcome: "refused" });
  assert.equal(await from("203.0.113.3", "wrong"), 429);
  kit.guard.answers("sign_in", { outcome: "unchecked" });
  assert.equal(await from("203.0.113.5", "wrong"), 401);
  kit.guard.isDown = true;
  assert.equal(await from("203.0.113.4", "wrong"), 503);
  assert.deepEqual(reported, ["203.0.113.1"]);
});

test("while the guard is down or fails, no one can sign in, and strangers learn no details", async () => {
  kit.guard.isDown = true;
  const down = await attempt(PASSWORD);
  assert.deepEqual([down.status, down.headers.get("set-cookie")], [503, null]);
  kit.guard.isDown = false;
  kit.guard.replies.set("sign_in", DISK_FULL);
  const failed = await attempt(PASSWORD);
  assert.deepEqual([failed.status, failed.headers.get("set-cookie")], [503, null]);
  const text = await failed.text();
  assert.match(text, /cannot do this now/);
  assert.doesNotMatch(text, /database/);
});

test("the guard gets the address and the browser of a sign-in, and what that browser was given before", async (t) => {
  const forged = { "x-forwarded-for": "198.51.100.9", "x-forwarded-proto": "https" };
  const asked = { verb: "sign_in", ip: "127.0.0.1", password: PASSWORD, device: "curl", known: null } as const;
  const headers = { "user-agent": "curl/7.88.1", ...forged };
  assert.doesNotMatch((await attempt(PASSWORD, headers)).headers.get("set-cookie") ?? "", /Secure/);
  assert.deepEqual(kit.guard.of("sign_in"), [asked], "a forged X-Forwarded-For is not trusted");

  const proxied = await startKit(t, { trustedProxies: [net("127.0.0.1")] });
  const [session, known] = (await attempt(PASSWORD, headers, proxied)).headers.getSetCookie();
  assert.match(session ?? "", /^__Host-ghostinbox=[\w-]{43}; Path=\/; .*; Secure$/);
  assert.match(known ?? "", /^__Host-ghostinbox_device=known; HttpOnly; .*; Path=\/; Secure$/);
  const cookie = known?.split(";")[0] ?? assert.fail("no second cookie");
  assert.equal(await isIn(cookie, proxied), false, "on its own it opens nothing");
  await attempt(PASSWORD, { ...headers, cookie }, proxied);
  assert.deepEqual(proxied.guard.of("sign_in"), [
    { ...asked, ip: "198.51.100.9" },
    { ...asked, ip: "198.51.100.9", known: "known" },
  ]);
});

test("another site's page can neither sign in nor use the cookie", async () => {
  kit.guard.answers("unban", { prefix: "203.0.113.7/32" });
  const cookie = await signIn(kit);
  const unban = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await fetch(`${kit.url}/api/v1/bans/203.0.113.7`, { method: "DELETE", headers })).status;
  const evil = { origin: "https://evil.example" };
  assert.equal((await attempt(PASSWORD, evil)).status, 403);
  assert.equal(await unban({ cookie, ...evil }), 403);
  assert.equal(await unban({ cookie, "sec-fetch-site": "cross-site" }), 403);
  assert.equal(kit.guard.of("unban").length, 0);
  assert.equal(await unban({ cookie, origin: kit.url }), 200);
  assert.equal(await unban({ cookie }), 200);
  assert.equal(await unban({ ...bearer, ...evil }), 200, "a token is sent by no browser on its own");
});

test("a missing code has its own problem code, at the sign-in and at the proof", async () => {
  const cookie = await signIn(kit);
  kit.guard.answers("sign_in", { outcome: "code_needed" });
  const half = await attempt(PASSWORD);
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

test("a browser is named in a few words, even if its User-Agent names others", () => {
  const of = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":
      "Chrome on Windows",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":
      "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1":
      "Safari on iPhone",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605":
      "Safari on macOS",
    "curl/7.88.1": "curl",
    "Mozilla/5.0 (Linux; Android 15) Something": "Android",
    "": "unknown device",
    "\u001b[31m<script>": "unknown device",
  };
  for (const [userAgent, device] of Object.entries(of)) assert.equal(deviceOf(userAgent), device, userAgent);
});
