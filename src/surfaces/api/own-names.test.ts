import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { PASSWORD } from "../../../test/kit/fake-guard.ts";
import { isOwnName } from "./client-address.ts";

const NAMES = ["mx.example.org", "example.net"];

for (const host of ["127.0.0.1:3000", "[::1]:3000", "203.0.113.7", "localhost", "localhost:3000", "mailbox:3000"])
  test(`${host} can be ours anywhere`, () => assert.ok(isOwnName(host, [])));

for (const host of ["mx.example.org", "MX.Example.ORG:443", "example.net.", "dashboard.example.net"])
  test(`${host} is ours`, () => {
    assert.ok(isOwnName(host, NAMES));
    assert.ok(!isOwnName(host, ["example.com"]));
  });

for (const host of [
  null,
  "",
  "evil.example",
  "example.org",
  "badexample.net",
  "example.net.evil.example",
  "127.0.0.1.evil.example",
  "example.net@evil.example",
  "exa mple",
])
  test(`${host} is not`, () => assert.ok(!isOwnName(host, NAMES)));

test("under another name no one can sign in or use a session; tokens and health checks still work", async (t) => {
  const kit = await startKit(t, { names: NAMES });
  const cookie = await signIn(kit);
  const ask = (method: string, path: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request(`${kit.url}${path}`, { method, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject);
      sent.end(method === "POST" ? JSON.stringify({ password: PASSWORD }) : undefined);
    });
  for (const [host, login, session] of [
    ["evil.example:3000", 403, 403],
    ["mx.example.org", 200, 200],
  ] as const) {
    assert.equal(await ask("POST", "/api/v1/login", { host, origin: `http://${host}` }), login);
    assert.equal(await ask("GET", "/api/v1/session", { host, cookie }), session);
    assert.equal(await ask("GET", "/api/v1/session", { host, ...bearer }), 200);
    assert.equal(await ask("GET", "/healthz/live", { host }), 200);
  }
});
