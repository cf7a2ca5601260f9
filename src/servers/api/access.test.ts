import assert from "node:assert/strict";
import { test } from "node:test";
import { T0, TOKEN } from "../../../test/kit/api-kit.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { actorOf, callerOf, isCrossOrigin, mayCall, sessionCookie, sessionSecret } from "./access.ts";
import { DashboardSessions, secretDigest } from "./dashboard-sessions.ts";
import type { Credentials } from "./ports.ts";

const credentials: Credentials = {
  adminHash: () => "hash",
  tokenNamed: (digest) => (digest === secretDigest(TOKEN) ? "ci" : null),
};
const ip = (text: string): Ip => parseIp(text) ?? assert.fail(text);

test("a token is known by its digest, whatever the case of the scheme's name", () => {
  const held = { sessions: new DashboardSessions(), credentials, now: T0 };
  assert.deepEqual(callerOf(new Headers({ authorization: `bearer ${TOKEN}` }), held), { how: "token", name: "ci" });
  for (const wrong of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(3)}`, `Basic ${TOKEN}`, "Bearer", "Bearer gi_", TOKEN])
    assert.equal(callerOf(new Headers({ authorization: wrong }), held), null, wrong);
});

test("a wrong token is not saved by a session that stands", () => {
  const sessions = new DashboardSessions();
  const cookie = `ghostinbox=${sessions.open("hash", T0)}`;
  const held = { sessions, credentials, now: T0 };
  assert.deepEqual(callerOf(new Headers({ cookie }), held), { how: "session", name: "admin" });
  assert.equal(callerOf(new Headers({ cookie, authorization: `Bearer ${TOKEN}x` }), held), null);
});

test("who may call what", () => {
  const session = { how: "session", name: "admin" } as const;
  const token = { how: "token", name: "ci" } as const;
  assert.deepEqual(
    [null, token, session].map((caller) => mayCall("anyone", caller)),
    [true, true, true],
  );
  assert.deepEqual(
    [null, token, session].map((caller) => mayCall("session", caller)),
    [false, false, true],
  );
  assert.deepEqual(
    [null, token, session].map((caller) => mayCall("session_or_token", caller)),
    [false, true, true],
  );
});

test("the records name the caller and where it called from", () => {
  assert.equal(actorOf({ how: "session", name: "admin" }, ip("203.0.113.7")), "admin via 203.0.113.7");
  assert.equal(actorOf({ how: "token", name: "ci" }, ip("::1")), "token ci via ::1");
});

test("the cookie is ours alone, and Secure only behind https", () => {
  assert.equal(sessionCookie("x", false, 60), "ghostinbox=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
  assert.match(sessionCookie("x", true, 60), /; Secure$/);
  assert.equal(sessionSecret(new Headers({ cookie: "a=b; ghostinbox=secret; c=d" })), "secret");
  assert.equal(sessionSecret(new Headers({ cookie: "xghostinbox=secret" })), null);
});

test("another site's request is foreign; a script's, which says nothing, is not", () => {
  const foreign = (headers: Readonly<Record<string, string>>): boolean =>
    isCrossOrigin(new Headers({ host: "mail.example.org", ...headers }));
  assert.equal(foreign({}), false);
  assert.equal(foreign({ origin: "https://mail.example.org" }), false);
  assert.equal(foreign({ origin: "https://evil.example" }), true);
  assert.equal(foreign({ origin: "https://mail.example.org:8443" }), true);
  assert.equal(foreign({ origin: "null" }), true);
  assert.equal(foreign({ "sec-fetch-site": "cross-site" }), true);
  assert.equal(foreign({ "sec-fetch-site": "same-site" }), true);
  assert.equal(foreign({ "sec-fetch-site": "same-origin", origin: "https://mail.example.org" }), false);
  assert.equal(foreign({ "sec-fetch-site": "none" }), false);
});
