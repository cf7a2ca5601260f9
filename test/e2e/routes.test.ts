import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { ADMIN_PASSWORD } from "../lab/product.ts";
import { type WebAnswer, WebClient } from "../lab/web-client.ts";
import { Description } from "../lab/web-description.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";
const GUEST = "198.51.100.71";
const STRANGER = "198.51.100.72";
const OFFICE = "198.51.100.73";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const WRONG_TOKEN = `Bearer gi_${"0".repeat(32)}`;

type Visit = Readonly<{
  /** The route's own path if absent. */
  path?: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  answers: number;
  /** Of a problem. */
  code?: string;
}>;
const WRONG_BODIES: readonly Visit[] = [
  { body: "{", answers: 400, code: "not_json" },
  { body: "[]", answers: 400, code: "invalid_request" },
  { body: {}, answers: 400, code: "invalid_request" },
  { body: " ".repeat(5_000), answers: 413, code: "body_too_large" },
];
const nonsense = (path: string): Visit => ({ path, answers: 400, code: "invalid_request" });

/** Every route of the server, asked rightly and wrongly, in this order. */
const visits = (queueId: string): Readonly<Record<string, readonly Visit[]>> => ({
  "GET /api/security": [
    { path: "/api/security?action=stats", answers: 200 },
    { path: "/api/security?action=cleanup", answers: 200 },
    nonsense("/api/security"),
    nonsense("/api/security?action=ban"),
  ],
  "POST /api/security": [
    { body: { action: "ban", ip: STRANGER, reason: "it scanned us", for: "2h" }, answers: 200 },
    { body: { action: "unban", ip: STRANGER }, answers: 200 },
    { body: { action: "unban", ip: STRANGER }, answers: 409, code: "refused" },
    { body: { action: "ban", ip: "127.0.0.1" }, answers: 409, code: "refused" },
    { body: { action: "ban", ip: "nobody" }, answers: 400, code: "invalid_request" },
    { body: { action: "ban", ip: STRANGER, since: "2h" }, answers: 400, code: "invalid_request" },
    ...WRONG_BODIES,
  ],
  "POST /api/v1/login": [
    { body: { password: ADMIN_PASSWORD }, answers: 200 },
    { body: `password=${encodeURIComponent(ADMIN_PASSWORD)}`, headers: FORM, answers: 303 },
    { body: { password: "guess" }, answers: 401, code: "login_refused" },
    {
      body: { password: ADMIN_PASSWORD },
      headers: { origin: "https://evil.test" },
      answers: 403,
      code: "foreign_origin",
    },
    { body: { password: ADMIN_PASSWORD }, headers: { host: "evil.test" }, answers: 403, code: "unknown_host" },
    ...WRONG_BODIES,
  ],
  "GET /api/v1/session": [{ answers: 200 }],
  "GET /api/v1/status": [{ answers: 200 }],
  "GET /api/v1/stats": [{ answers: 200 }],
  "POST /api/v1/bans": [
    { body: { ip: STRANGER, reason: "it came again", for: "permanent" }, answers: 201 },
    { body: { ip: "203.0.113.0/24" }, answers: 409, code: "refused" },
    { body: { ip: STRANGER, for: "soon" }, answers: 400, code: "invalid_request" },
    { body: { ip: STRANGER, action: "ban" }, answers: 400, code: "invalid_request" },
    ...WRONG_BODIES,
  ],
  "GET /api/v1/bans": [{ answers: 200 }],
  "DELETE /api/v1/bans/{network}": [
    { path: `/api/v1/bans/${STRANGER}/32`, answers: 200 },
    { path: `/api/v1/bans/${STRANGER}`, answers: 409, code: "refused" },
    nonsense("/api/v1/bans/nobody"),
  ],
  "POST /api/v1/allow": [
    { body: { network: OFFICE, note: "the office", for: "2h" }, answers: 201 },
    { body: { network: "0.0.0.0/1" }, answers: 400, code: "invalid_request" },
    { body: { network: OFFICE, ip: OFFICE }, answers: 400, code: "invalid_request" },
    ...WRONG_BODIES,
  ],
  "GET /api/v1/allow": [{ answers: 200 }],
  "DELETE /api/v1/allow/{network}": [
    { path: `/api/v1/allow/${OFFICE}`, answers: 200 },
    { path: `/api/v1/allow/${OFFICE}`, answers: 409, code: "refused" },
    nonsense("/api/v1/allow/nobody"),
  ],
  "GET /api/v1/why/account/{account}": [
    { path: `/api/v1/why/account/${ANNA}`, answers: 200 },
    { path: "/api/v1/why/account/nobody%40example.test", answers: 200 },
    nonsense(`/api/v1/why/account/${"a".repeat(321)}`),
  ],
  "GET /api/v1/why/message/{message}": [
    { path: `/api/v1/why/message/${queueId}`, answers: 200 },
    nonsense("/api/v1/why/message/x"),
  ],
  "GET /api/v1/why/{ip}": [
    { path: `/api/v1/why/${GUEST}`, answers: 200 },
    { path: `/api/v1/why/${STRANGER}`, answers: 200 },
    { path: "/api/v1/why/2001:db8:b000::7", answers: 200 },
    nonsense("/api/v1/why/nobody"),
  ],
  "GET /api/v1/events": [
    { answers: 200 },
    { path: `/api/v1/events?ip=${GUEST}&type=LOGIN_FAILED&limit=1&cursor=99999`, answers: 200 },
    nonsense("/api/v1/events?limit=0"),
    nonsense("/api/v1/events?limit=501"),
    nonsense("/api/v1/events?type=NOTHING"),
    nonsense("/api/v1/events?cursor=-1"),
  ],
  "GET /api/v1/events/stream": [nonsense("/api/v1/events/stream?after=x"), nonsense("/api/v1/events/stream?ip=x")],
  "GET /healthz": [{ answers: 200 }],
  "GET /healthz/live": [{ answers: 200 }],
  "GET /healthz/ready": [{ answers: 200 }],
  "GET /metrics": [{ answers: 200 }],
  "GET /openapi.json": [{ answers: 200 }],
  "GET /": [{ answers: 200 }],
  "GET /app.js": [{ answers: 200 }],
  "GET /style.css": [{ answers: 200 }],
  "GET /icon.svg": [{ answers: 200 }],
  // The last one: it ends the session by which a route for browsers alone is asked.
  "POST /api/v1/logout": [{ answers: 204 }],
});
const ROUTES = Object.keys(visits(""));
const PAGE = ["GET /", "GET /app.js", "GET /style.css", "GET /icon.svg"];

describe("every route of the running server", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({}, [ANNA]);
  let web: WebClient;
  let bearer: Readonly<Record<string, string>>;
  let cookie: Readonly<Record<string, string>>;
  let described: Description;
  let queueId: string;
  before(async () => {
    web = await WebClient.from(lab.server, { from: "127.0.0.1", to: "127.0.0.1", port: 3000 });
    bearer = { authorization: `Bearer ${await product.makeToken("routes")}` };
    const signedIn = await web.ask("POST", "/api/v1/login", { body: { password: ADMIN_PASSWORD } });
    cookie = { cookie: signedIn.headers["set-cookie"]?.split(";")[0] ?? assert.fail("no cookie") };
    described = new Description((await web.ask("GET", "/openapi.json", { headers: bearer })).json());
    // Something to tell of.
    const { lines } = await sendMail({ host: lab.sender, from: GUEST });
    queueId = /queued as (\w+)/.exec(lines.join(" "))?.[1] ?? assert.fail(lines.join(" "));
    const dialog = await openImap(lab.sender, GUEST);
    await logIn(dialog, ANNA, "a wrong one");
    dialog.close();
  });

  /** The weakest credential that a route takes. */
  function credential(route: string): Readonly<Record<string, string>> {
    const { security } = described.operation(route);
    if (security.length === 0) return {};
    return security.some((way) => "token" in way) ? bearer : cookie;
  }

  test("is described by itself, and asked here", () => {
    assert.deepEqual(described.routes().toSorted(), ROUTES.toSorted());
  });

  for (const route of ROUTES)
    test(`${route} answers as it is described`, async () => {
      const [method = "", template = ""] = route.split(" ");
      for (const { path = template, body, headers, answers, code } of visits(queueId)[route] ?? []) {
        const answer = await web.ask(method, path, { body, headers: { ...credential(route), ...headers } });
        const says = `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.equal(answer.status, answers, says);
        assert.deepEqual(described.faults(route, answer), [], says);
        if (code !== undefined) assert.ok(answer.text.includes(`"code":"${code}"`), says);
        expectSafeHeaders(answer, PAGE.includes(route) ? "no-cache" : "no-store");
      }
    });

  for (const route of ROUTES)
    test(`${route} is closed to strangers, or meant for them`, async () => {
      const [method = "", template = ""] = route.split(" ");
      const [{ path = template } = {}] = visits(queueId)[route] ?? [];
      const mayAnyone = described.operation(route).security.length === 0;
      for (const headers of [{}, { authorization: WRONG_TOKEN }, { cookie: `ghostinbox=${"0".repeat(43)}` }]) {
        const answer = await web.ask(method, path, { headers });
        assert.equal(answer.status === 401, !mayAnyone, `${answer.status} ${answer.text.slice(0, 300)}`);
        assert.deepEqual(described.faults(route, answer), []);
        expectSafeHeaders(answer, PAGE.includes(route) ? "no-cache" : "no-store");
        if (!mayAnyone) assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer /);
      }
    });

  for (const template of new Set(ROUTES.map((route) => route.split(" ")[1] ?? "")))
    test(`${template} names the methods that it takes`, async () => {
      const path = template.replaceAll(/\{\w+\}/g, STRANGER);
      const taken = described.methodsOf(template);
      for (const method of METHODS.filter((one) => !taken.includes(one))) {
        const answer = await web.ask(method, path, { headers: bearer });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.deepEqual(answer.headers["allow"]?.split(", ").toSorted(), taken.toSorted(), `${method} ${path}`);
        assert.match(answer.text, /"code":"method_not_allowed"/);
      }
    });

  test("what is no route does not exist", async () => {
    for (const path of ["/api", "/api/v1/nothing", "/index.html", "/../etc/passwd", "/%2e%2e/engine.db"]) {
      const answer = await web.ask("GET", path, { headers: bearer });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      expectSafeHeaders(answer, "no-store");
    }
  });
});

function expectSafeHeaders({ headers }: WebAnswer, cache: string): void {
  assert.match(headers["content-security-policy"] ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["cache-control"], cache);
}
