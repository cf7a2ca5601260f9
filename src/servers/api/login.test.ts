import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type Kit, PASSWORD, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { parseIp, parsePrefix } from "../../core/net/ip.ts";
import { DashboardSessions } from "./dashboard-sessions.ts";
import { API_LIMITS } from "./limits.ts";
import { DashboardSignIn } from "./login.ts";

function attempt(kit: Kit, password: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${kit.url}/api/v1/login`, { method: "POST", headers, body: JSON.stringify({ password }) });
}

async function isIn(kit: Kit, cookie: string): Promise<boolean> {
  return (await fetch(`${kit.url}/api/v1/session`, { headers: { cookie } })).status === 200;
}

test("the right password opens a session, and signing out ends it", async (t) => {
  const kit = await startKit(t);
  const response = await attempt(kit, PASSWORD);
  assert.equal(response.status, 200);
  assert.match(
    response.headers.getSetCookie()[0] ?? "",
    /^ghostinbox=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
  );
  const cookie = await signIn(kit);
  assert.equal(await isIn(kit, cookie), true);
  const left = await fetch(`${kit.url}/api/v1/logout`, { method: "POST", headers: { cookie } });
  assert.equal(left.status, 204);
  assert.match(left.headers.get("set-cookie") ?? "", /^ghostinbox=; .*Max-Age=0/);
  assert.equal(await isIn(kit, cookie), false);
});

test("where the guard takes no report the log tells of a wrong password, and right ones hear the same", async (t) => {
  const kit = await startKit(t);
  kit.guard.replies.set("dashboard_login", { ok: false, kind: "failed", message: "", next: "" });
  const refused: string[] = [];
  const signIn = new DashboardSignIn(
    { ...kit.parts, signInRefused: (ip) => refused.push(ip) },
    new DashboardSessions(),
  );
  const from = attempts(signIn);
  assert.equal((await from("203.0.113.1", { password: "wrong" })).status, 503);
  assert.equal((await from("203.0.113.2")).status, 503);
  assert.deepEqual(refused, ["203.0.113.1"]);
});

test("a form signs in too, and is led to the page", async (t) => {
  const kit = await startKit(t);
  const body = new URLSearchParams({ password: PASSWORD });
  const response = await fetch(`${kit.url}/api/v1/login`, { method: "POST", body, redirect: "manual" });
  assert.deepEqual([response.status, response.headers.get("location")], [303, "/"]);
  assert.equal(await isIn(kit, response.headers.get("set-cookie")?.split(";")[0] ?? ""), true);
});

test("a wrong password and an address that may not try hear the same words", async (t) => {
  const kit = await startKit(t);
  const wrong = await attempt(kit, "wrong");
  kit.guard.replies.set("dashboard_ask", { ok: true, result: { verdict: "refuse" } });
  const refused = await attempt(kit, PASSWORD);
  assert.deepEqual([wrong.status, refused.status], [401, 429]);
  const words = async (response: Response): Promise<unknown> => {
    const body: unknown = await response.json();
    assert.ok(typeof body === "object" && body !== null);
    return { ...body, status: 0, title: "" };
  };
  assert.deepEqual(await words(wrong), await words(refused));
  assert.equal(refused.headers.get("set-cookie"), null);
  assert.equal(kit.guard.of("dashboard_login").length, 1, "a refused attempt is not verified");
});

test("the guard hears of each attempt, never the password itself", async (t) => {
  const kit = await startKit(t);
  for (const password of ["wrong", "wrong", "other", PASSWORD]) await attempt(kit, password);
  const reports = kit.guard.of("dashboard_login").flatMap((command) => ("passwordHash" in command ? [command] : []));
  assert.deepEqual(
    reports.map(({ success }) => success),
    [false, false, false, true],
  );
  assert.equal(reports[0]?.passwordHash, reports[1]?.passwordHash);
  for (const { passwordHash, ip } of reports) {
    assert.match(passwordHash, /^[0-9a-f]{3}$/);
    assert.equal(ip, "127.0.0.1");
  }
});

test("without the guard, or without a password set, nobody gets in", async (t) => {
  const kit = await startKit(t);
  kit.setHash(null);
  assert.equal((await attempt(kit, PASSWORD)).status, 401);
  kit.setHash(`hash of ${PASSWORD}`);
  kit.guard.isDown = true;
  const down = await attempt(kit, PASSWORD);
  assert.deepEqual([down.status, down.headers.get("set-cookie")], [503, null]);
});

test("a decoy's password opens nothing while none is set", async (t) => {
  const kit = await startKit(t);
  kit.setHash(null);
  assert.equal((await attempt(kit, "nothing")).status, 401);
});

test("a session ends when idle, and with its password", async (t) => {
  const kit = await startKit(t);
  const first = await signIn(kit);
  kit.advance(API_LIMITS.sessionIdleMs - 1);
  assert.equal(await isIn(kit, first), true);
  kit.advance(API_LIMITS.sessionIdleMs);
  assert.equal(await isIn(kit, first), false);
  const second = await signIn(kit);
  kit.setHash("another");
  assert.equal(await isIn(kit, second), false);
});

test("a forged X-Forwarded-For reaches neither guard nor records; a trusted proxy's does", async (t) => {
  const forged = { "x-forwarded-for": "198.51.100.9", "x-forwarded-proto": "https" };
  const kit = await startKit(t);
  assert.doesNotMatch((await attempt(kit, PASSWORD, forged)).headers.get("set-cookie") ?? "", /Secure/);
  assert.deepEqual(kit.guard.of("dashboard_ask"), [{ verb: "dashboard_ask", ip: "127.0.0.1" }]);

  const proxied = await startKit(t, { trustedProxies: [parsePrefix("127.0.0.1") ?? assert.fail()] });
  assert.match((await attempt(proxied, PASSWORD, forged)).headers.get("set-cookie") ?? "", /; Secure$/);
  assert.deepEqual(proxied.guard.of("dashboard_ask"), [{ verb: "dashboard_ask", ip: "198.51.100.9" }]);
});

test("another site's page can neither sign in nor act by the cookie", async (t) => {
  const kit = await startKit(t);
  kit.guard.replies.set("unban", { ok: true, result: { prefix: "203.0.113.7/32" } });
  const cookie = await signIn(kit);
  const unban = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await fetch(`${kit.url}/api/v1/bans/203.0.113.7`, { method: "DELETE", headers })).status;
  const evil = { origin: "https://evil.example" };
  assert.equal((await attempt(kit, PASSWORD, evil)).status, 403);
  assert.equal(await unban({ cookie, ...evil }), 403);
  assert.equal(await unban({ cookie, "sec-fetch-site": "cross-site" }), 403);
  assert.equal(kit.guard.of("unban").length, 0);
  assert.equal(await unban({ cookie, origin: kit.url }), 200);
  assert.equal(await unban({ cookie }), 200);
  assert.equal(await unban({ ...bearer, ...evil }), 200, "a token is sent by no browser on its own");
});

test("one network tries one password at a time, and all together a few", async (t) => {
  const kit = await startKit(t);
  const { promise: verified, resolve: verify } = Promise.withResolvers<boolean>();
  const signIn = new DashboardSignIn(
    { ...kit.parts, passwords: { verify: () => verified, decoy: "" } },
    new DashboardSessions(),
  );
  const from = attempts(signIn);
  const running = ["203.0.113.1", "2001:db8::1"].map((ip) => from(ip));
  running.push(from("203.0.113.1"), from("2001:db8::2"));
  assert.equal((await from("203.0.113.1")).status, 429, "one waits already");
  assert.equal((await from("2001:db8::3")).status, 429, "the same /64");
  running.push(from("203.0.113.3"), from("203.0.113.4"));
  assert.equal((await from("203.0.113.5")).status, 429, "too many in all");
  verify(true);
  assert.deepEqual(
    (await Promise.all(running)).map(({ status }) => status),
    [200, 200, 200, 200, 200, 200],
  );
  assert.equal((await from("203.0.113.1")).status, 200);
});

test("whoever waits is next, before those that come again at once", async (t) => {
  const kit = await startKit(t);
  const gates: ((right: boolean) => void)[] = [];
  const verify = (): Promise<boolean> => new Promise((resolve) => gates.push(resolve));
  const from = attempts(
    new DashboardSignIn({ ...kit.parts, passwords: { verify, decoy: "" } }, new DashboardSessions()),
  );
  const guess = from("127.0.0.1");
  const owner = from("127.0.0.1");
  await until(() => gates.length === 1);
  gates[0]?.(false);
  assert.equal((await guess).status, 401);
  const again = from("127.0.0.1");
  await until(() => gates.length === 2);
  gates[1]?.(true);
  assert.equal((await owner).status, 200);
  await until(() => gates.length === 3);
  gates[2]?.(false);
  assert.equal((await again).status, 401);
});

test("a browser that has signed in before comes past a crowd, until the password is changed", async (t) => {
  const kit = await startKit(t);
  const signedIn = await attempt(kit, PASSWORD);
  const cookie = signedIn.headers.getSetCookie()[1]?.split(";")[0] ?? assert.fail("no second cookie");
  assert.equal(await isIn(kit, cookie), false, "it opens nothing by itself");

  const crowd = Promise.withResolvers<boolean>();
  const passwords = {
    verify: (_: string, password: string) => (password === PASSWORD ? Promise.resolve(true) : crowd.promise),
    decoy: "",
  };
  const from = attempts(new DashboardSignIn({ ...kit.parts, passwords }, new DashboardSessions()));
  const guesses = [1, 2, 3, 4, 1].map((n) => from(`203.0.113.${n}`, { password: "wrong" }));
  for (const ip of ["203.0.113.1", "203.0.113.9"]) {
    assert.equal((await from(ip)).status, 429);
    assert.equal((await from(ip, { cookie: `${cookie}x` })).status, 429, "a forged one");
    assert.equal((await from(ip, { cookie })).status, 200);
  }
  kit.setHash("another");
  assert.equal((await from("203.0.113.9", { cookie })).status, 429);
  crowd.resolve(false);
  for (const guess of guesses) assert.equal((await guess).status, 401);
});

type From = (ip: string, extra?: Readonly<{ password?: string; cookie?: string }>) => Promise<Response>;

function attempts(signIn: DashboardSignIn): From {
  return (text, { password = PASSWORD, cookie = "" } = {}) => {
    const ip = parseIp(text) ?? assert.fail(text);
    return signIn.try({ password, ip, secure: false, form: false, headers: new Headers({ cookie }) });
  };
}

async function until(met: () => boolean): Promise<void> {
  for (let turns = 0; !met(); turns++) {
    assert.ok(turns < 1_000, "it never came");
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
