import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { apiKitOf, ask, BAN, bearer, signIn, tableOf } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN } from "../../../test/kit/fake-guard.ts";
import { until } from "../../../test/kit/until.ts";
import { API_LIMITS } from "./limits.ts";
import { LookupsBusy } from "./ports.ts";
import { type Route, route } from "./route.ts";
import { createRouter, createSharedParts } from "./router.ts";

const kit = apiKitOf(import.meta.filename);
const run = () => new Promise<Response>(() => {});
const never = route("GET /never", { says: "Does not answer.", who: "anyone", run });
const routerOf = (row: Route) => createRouter([row], createSharedParts(kit.parts));

/** Sends a request without a network, from a client with this address. If `isGone`, the client has left already. */
async function from(peer: string | undefined, router = routerOf(never), isGone = false): Promise<Response> {
  const incoming = new IncomingMessage(new Socket());
  Object.defineProperty(incoming.socket, "remoteAddress", { value: peer });
  const outgoing = new ServerResponse(incoming);
  if (isGone) outgoing.destroy();
  return router.request("http://localhost/never", { headers: bearer }, { incoming, outgoing });
}

test("a request whose handler takes too long gets an answer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let status = 0;
  void from("127.0.0.1").then((response) => (status = response.status));
  await until(() => {
    t.mock.timers.tick(API_LIMITS.answerMs);
    return status !== 0;
  });
  assert.equal(status, 503);
});

test("a client that is gone before its address was read is refused", async () => {
  assert.equal((await from(undefined)).status, 400);
});

test("the guard is not asked again about a client that left before its stream started", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const stream = route("GET /never", {
    says: "Streams.",
    endless: true,
    run: ({ stillAllowed }) => Response.json(stillAllowed()),
  });
  assert.equal(await (await from("127.0.0.1", routerOf(stream), true)).json(), false);
  t.mock.timers.tick(API_LIMITS.callerAgeMs);
  assert.equal(kit.guard.identified.length, 1);
});

test("a client with too many requests in progress gets 503 and the reason", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const router = routerOf(never);
  for (let i = 0; i < API_LIMITS.connectionsAnAddress; i++) void from("127.0.0.1", router);
  const refused = await from("127.0.0.1", router);
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /"code":"busy","detail":"Too many requests from this client are in progress\."/);
});

test("a failed answer also says how many requests are left", async (t) => {
  t.mock.method(kit.parts.lookups, "ask", () => Promise.reject(new LookupsBusy("64 wait")));
  const busy = await ask(kit, "/api/v1/top?by=mails");
  assert.equal(busy.status, 503);
  for (const name of ["ratelimit", "ratelimit-policy", "retry-after"]) assert.ok(busy.headers.has(name), name);
});

test("each path names its own methods, even next to or below a parameter; an unknown path has none", async () => {
  for (const [path, allow] of [
    ["accounts/a@example.org/password", "POST, OPTIONS"],
    ["accounts/import", "POST, OPTIONS"],
    ["accounts/a@example.org/networks/203.0.113.0/24", "DELETE, OPTIONS"],
    ["aliases/a@example.org/block", "POST, OPTIONS"],
    ["bans", "GET, POST, HEAD, OPTIONS"],
    ["bans/203.0.113.0/24", "DELETE, OPTIONS"],
    ["why/account/x", "GET, HEAD, OPTIONS"],
    ["why/203.0.113.0/24", "GET, HEAD, OPTIONS"],
    ["factors/passkeys/confirm", "POST, OPTIONS"],
  ] as const) {
    const options = await fetch(`${kit.url}/api/v1/${path}`, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow")], [204, allow], path);
    const other = await fetch(`${kit.url}/api/v1/${path}`, { method: "PUT", headers: bearer });
    assert.deepEqual([other.status, other.headers.get("allow")], [405, allow], path);
  }
  const old = await fetch(`${kit.url}/api/security`, { method: "PUT", headers: bearer });
  assert.deepEqual([old.status, old.headers.get("allow")], [405, "GET, POST, HEAD, OPTIONS"]);
  assert.equal((await ask(kit, "/api/v1/accounts/import")).status, 405);
  assert.equal((await ask(kit, "/api/v1/accounts/a@example.org/password")).status, 405);
  for (const path of ["nothing", "tokens/a/b"]) assert.equal((await ask(kit, `/api/v1/${path}`)).status, 404, path);
});

test("a dry run reaches the guard as a dry run: nothing is made, and no secret is shown", async () => {
  kit.guard.answers("ban", { ban: BAN });
  kit.guard.answers("token_create", { name: "ci" });
  const banned = await kit.send("POST", "bans?dry_run=true", { ip: "203.0.113.7" });
  assert.deepEqual(banned, { status: 200, answer: { ban: BAN } });
  const made = await kit.send("POST", "tokens?dry_run=true", { name: "ci", scopes: ["read"] });
  assert.deepEqual(made.answer, { name: "ci", token: "" });
  kit.guard.answers("account_set_password", { name: "anna@example.org" });
  const set = await kit.send("POST", "accounts/anna@example.org/password?dry_run=true", {});
  assert.deepEqual(set.answer, { name: "anna@example.org", password: "" });
  assert.equal((await kit.send("POST", "bans?dry_run=false", { ip: "203.0.113.7" })).status, 201);
  const asked = kit.guard.asked.map(({ asker, isDry = false }) => [asker, isDry]);
  const expected = [true, true, true, false].map((isDry) => [AS_TOKEN, isDry]);
  assert.deepEqual(asked, expected);
});

test("OPTIONS allows no other origin; HEAD answers as GET does, without the body", async () => {
  const origin = { origin: "https://evil.example", "access-control-request-method": "POST" };
  const options = await fetch(`${kit.url}/api/v1/bans`, { method: "OPTIONS", headers: origin });
  assert.equal(options.headers.get("access-control-allow-origin"), null);
  assert.equal((await fetch(`${kit.url}/api/v1/nothing`, { method: "OPTIONS" })).status, 404);

  const got = await ask(kit, "/api/v1/bans");
  const head = await fetch(`${kit.url}/api/v1/bans`, { method: "HEAD", headers: bearer });
  assert.equal(head.status, 200);
  for (const name of ["etag", "content-type"]) assert.equal(head.headers.get(name), got.headers.get(name), name);
  assert.equal(await head.text(), "");
  assert.equal((await fetch(`${kit.url}/api/v1/bans`, { method: "HEAD" })).status, 401);
});

test("every route refuses unknown parameters, except those that accept any query", async () => {
  const session = { cookie: await signIn(kit) };
  const ofMailbox = { cookie: await signIn(kit, "anna@example.org") };
  const asked = (): number => kit.guard.asked.filter(({ command: { verb } }) => verb !== "health").length;
  const before = asked();
  for (const row of tableOf(kit)) {
    const path = row.path.replace(/\{\w+\}/, "203.0.113.7");
    const response = await fetch(`${kit.url}${path}?limt=5`, {
      method: row.method,
      headers: row.needs === "mailbox" ? ofMailbox : row.who === "session" ? session : bearer,
    });
    if (row.anyQuery === true) assert.doesNotMatch(await response.text(), /limt/, `${row.method} ${row.path}`);
    else {
      assert.equal(response.status, 400, `${row.method} ${row.path}`);
      assert.match(await response.text(), /"detail":"Unknown parameter limt\./);
    }
  }
  assert.equal(asked(), before);
});
