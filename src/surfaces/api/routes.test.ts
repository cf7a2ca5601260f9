import assert from "node:assert/strict";
import { STATUS_CODES } from "node:http";
import { test } from "node:test";
import { apiKitOf, ask, BAN, bearer, signIn, tableOf } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { rightsOf } from "../../admin/declare/rights.ts";
import { SCOPES } from "../../core/access/scopes.ts";
import { API_LIMITS } from "./limits.ts";
import { PAGE_FILES } from "./page.ts";
import type { Route } from "./route.ts";
import { eventPage, eventsQuery, securityCommand } from "./routes/schemas.ts";

const kit = apiKitOf(import.meta.filename);
const HEALTH = ["GET /healthz", "GET /healthz/live", "GET /healthz/ready"];
const OPEN = ["POST /api/v1/login", "POST /api/v1/login/passkey", ...HEALTH];
const PAGE = [...Object.keys(PAGE_FILES), "/programs/{name}"].map((path) => `GET ${path}`);
const name = ({ method, path }: Route): string => `${method} ${path}`;
const urlOf = ({ path }: Route): string =>
  `${kit.url}${path.replace(/\{(?:name|address)\}/, "anna@example.org").replace(/\{\w+\}/, "203.0.113.7")}`;

async function detailOf(response: Response): Promise<string> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body: unknown = await response.json();
  assert.ok(typeof body === "object" && body !== null && "detail" in body && "status" in body);
  const { status } = response;
  assert.partialDeepStrictEqual(body, { status, type: "about:blank", title: STATUS_CODES[status] });
  return String(body.detail);
}

test("only health, sign-in and the page itself are open to anyone", () => {
  const open = tableOf(kit).filter(({ who }) => who === "anyone");
  assert.deepEqual(open.map(name).toSorted(), [...OPEN, ...PAGE].toSorted());
});

test("each route says what it does, and has a suitable bound for its body", () => {
  for (const row of tableOf(kit)) {
    assert.match(row.says, /^[A-Z0-9].*\.$/, name(row));
    assert.equal(row.bodyBytes > 0, row.schemas.body !== undefined, name(row));
  }
});

test("every route that is not open answers 401, the same for a missing, a wrong and an expired credential", async () => {
  const ended = await signIn(kit);
  for (const [secret, { how }] of kit.guard.callers) if (how === "session") kit.guard.callers.delete(secret);
  kit.advance(API_LIMITS.callerAgeMs);
  const asked = kit.guard.asked.length;
  const credentials = [{}, { authorization: "Bearer gi_ffffffffffffffffffffffffffffffff" }, { cookie: ended }];
  const answers = new Set<string>();
  for (const row of tableOf(kit).filter(({ who }) => who !== "anyone"))
    for (const headers of credentials) {
      const response = await fetch(urlOf(row), { method: row.method, headers });
      assert.equal(response.status, 401, name(row));
      assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="GhostInbox"');
      answers.add(await response.text());
    }
  assert.equal(answers.size, 1);
  assert.equal(kit.guard.asked.length, asked, "a stranger reached the guard");
});

test("a token may use every route except those for browsers", async () => {
  for (const row of tableOf(kit).filter(({ who, method }) => who === "session_or_token" && method === "GET")) {
    if (row.endless === true || row.path === "/api/security") continue;
    assert.equal((await fetch(urlOf(row), { headers: bearer })).status, 200, name(row));
  }
  for (const row of tableOf(kit).filter(({ who }) => who === "session")) {
    const response = await fetch(urlOf(row), { method: row.method, headers: bearer });
    assert.equal(response.status, 403, name(row));
    assert.equal(await detailOf(response), "A token cannot use this: it needs a session of the dashboard.");
  }
});

test("a route that needs the scope admin refuses a token without it, and does not ask the guard", async () => {
  const scopes = SCOPES.filter((scope) => scope !== "admin");
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", scopes));
  const ofAdmin = tableOf(kit).filter(({ asks }) => asks !== undefined && rightsOf(asks).needs === "admin");
  const refused: string[] = [];
  for (const row of ofAdmin.filter(({ who }) => who === "session_or_token")) {
    const response = await fetch(urlOf(row), { method: row.method, headers: bearer });
    assert.equal(response.status, 403, name(row));
    assert.equal(await detailOf(response), "This session or token lacks the scope admin.");
    refused.push(name(row));
  }
  for (const expected of ["PUT /api/v1/accounts/{name}/vacation", "POST /api/v1/aliases", "GET /api/v1/audit/verify"])
    assert.ok(refused.includes(expected), expected);
  assert.deepEqual(kit.guard.asked, []);
});

test("bans and unbans through the original interface reach the guard in the caller's name", async () => {
  kit.guard.answers("ban", { ban: BAN });
  kit.guard.answers("unban", { prefix: BAN.prefix });
  kit.guard.answers("cleanup", { expired: 2 });

  const banned = await ask(kit, "/api/security", { action: "ban", ip: "1.2.3.4", reason: "suspicious" });
  assert.deepEqual(await banned.json(), { success: true, action: "ban", ban: BAN });
  const unbanned = await ask(kit, "/api/security", { action: "unban", ip: "1.2.3.4" });
  assert.deepEqual(await unbanned.json(), { success: true, action: "unban", prefix: BAN.prefix });
  const cleaned = await ask(kit, "/api/security?action=cleanup");
  assert.deepEqual(await cleaned.json(), { success: true, action: "cleanup", expired: 2 });
  assert.deepEqual(kit.guard.asked, [
    { asker: AS_TOKEN, command: { verb: "ban", target: "1.2.3.4", note: "suspicious", for: null } },
    { asker: AS_TOKEN, command: { verb: "unban", target: "1.2.3.4" } },
    { asker: AS_TOKEN, command: { verb: "cleanup" } },
  ]);
});

test("a network in the path needs no escaping, and may be escaped", async () => {
  kit.guard.answers("unban", { prefix: "2001:db8::/64" });
  kit.guard.answers("allow_remove", { prefix: "10.0.0.0/8" });
  for (const path of ["bans/2001:db8::/64", "bans/2001%3Adb8%3A%3A%2F64", "allow/10.0.0.0/8"])
    assert.equal((await fetch(`${kit.url}/api/v1/${path}`, { method: "DELETE", headers: bearer })).status, 200, path);
  const targets = kit.guard.asked.map(({ command }) => "target" in command && command.target);
  assert.deepEqual(targets, ["2001:db8::/64", "2001:db8::/64", "10.0.0.0/8"]);
});

const NONSENSE: readonly (readonly [string, unknown, RegExp])[] = [
  ["/api/security", { action: "ban" }, /^ip is missing/],
  ["/api/security", { action: "ban", ip: "1.2.3" }, /^ip is not an IP address or a network/],
  ["/api/security", { action: "ban", ip: "1.2.3.4", reason: "a\nb" }, /^reason has control characters/],
  ["/api/security", { action: "ban", ip: "1.2.3.4", reason: "x".repeat(201) }, /^reason has more than 200/],
  ["/api/security", { action: "ban", ip: "1.2.3.4", for: "soon" }, /^for is not a time such as 30m/],
  ["/api/security", { action: "ban", ip: "1.2.3.4", for: "0s" }, /^for is not a time/],
  ["/api/security", { action: "ban", ip: "1.2.3.4", resaon: "" }, /^resaon is not a known field/],
  ["/api/security", { action: "explode", ip: "1.2.3.4" }, /^action is neither ban nor unban/],
  ["/api/security", [1], /^The body is not a JSON object/],
  ["/api/security", null, /^The body is not a JSON object/],
  ["/api/security", "ban", /^The body is not a JSON object/],
  ["/api/v1/bans", { ip: 7 }, /^ip is missing, or not text/],
  ["/api/v1/allow", { network: "10.0.0.0/33" }, /^network is not an IP address or a network/],
  ["/api/security", undefined, /^action is neither stats nor cleanup/],
  ["/api/security?action=nuke", undefined, /^action is neither stats nor cleanup/],
  ["/api/v1/why/example.org", undefined, /^ip is not an IP address or a network/],
  ["/api/v1/events?limit=0", undefined, /^limit is zero/],
  ["/api/v1/events?limit=501", undefined, /^limit is more than 500/],
  ["/api/v1/events?cursor=-1", undefined, /^cursor is not a whole number/],
  ["/api/v1/events?type=LOGIN", undefined, /^type\.0 is not an event type/],
];

test("an invalid value gets one clear sentence and 400, and does not reach the guard", async () => {
  for (const [path, body, sentence] of NONSENSE) {
    const response = await ask(kit, path, body);
    assert.equal(response.status, 400, `${path} ${JSON.stringify(body)}`);
    assert.match(await detailOf(response), sentence);
  }
  assert.deepEqual(kit.guard.asked, []);
});

test("without the database, routes that need it fail, and the answer has no internals", async () => {
  kit.storeDown(true);
  for (const path of ["/api/v1/bans", "/metrics"]) {
    const response = await ask(kit, path);
    assert.equal(response.status, 503);
    assert.equal(await detailOf(response), "The database cannot be read.");
  }
});

test("a bug is reported to the log, not to the client", async (t) => {
  t.mock.method(kit.queries, "bans", () => assert.fail("secret path"));
  const response = await ask(kit, "/api/v1/bans");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  assert.equal(kit.problems.length, 1);
});

test("events are paged and filtered by address and type; a full page has a `next`, whose page may be empty", async () => {
  for (let i = 0; i < 5; i++) kit.queries.add(i % 2 === 0 ? "CONNECT" : "LOGIN_FAILED", `203.0.113.${i}`);
  for (const [query, ids, next] of [
    ["limit=2", [5, 4], "4"],
    ["limit=2&cursor=4", [3, 2], "2"],
    ["limit=2&cursor=2", [1], null],
    ["limit=5", [5, 4, 3, 2, 1], "1"],
    ["limit=5&cursor=1", [], null],
    ["", [5, 4, 3, 2, 1], null],
    ["type=CONNECT", [5, 3, 1], null],
    ["ip=203.0.113.1", [2], null],
  ] as const) {
    const page = eventPage.parse((await kit.send("GET", `events?${query}`)).answer);
    assert.deepEqual([page.items.map(({ id }) => id), page.next], [ids, next], query);
  }
});

test("an IPv6 address stands for the network in which it is judged", () => {
  const { ip } = eventsQuery(56).parse({ ip: "2001:DB8:0:1ff::7" });
  assert.equal(ip, "2001:db8:0:100::/56");
  assert.equal(eventsQuery(64).parse({ ip: "::ffff:203.0.113.7" }).ip, "203.0.113.7/32");
  assert.equal(eventsQuery(64).parse({ ip: "2001:db8::/32" }).ip, "2001:db8::/32");
});

test("a ban may be permanent; a reason may be in any language, without control characters", () => {
  const isRight = (more: object) => securityCommand.safeParse({ action: "ban", ip: "203.0.113.7", ...more }).success;
  assert.ok(isRight({ for: "permanent" }));
  assert.ok(isRight({ reason: "Überlastung, 攻撃" }));
  for (const mark of ["\n", "\u0000", "\u001b[2J", "\u2028"])
    assert.ok(!isRight({ reason: mark }), JSON.stringify(mark));
});
