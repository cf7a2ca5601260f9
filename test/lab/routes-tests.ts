import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import * as z from "zod";
import { ANNA, assertAccepted, sendMail, tryLogIn } from "./mail.ts";
import { mailboxVisits, managingVisits } from "./managing-visits.ts";
import { ADMIN_PASSWORD, PASSWORD } from "./product.ts";
import { usualVisits } from "./usual-visits.ts";
import { until } from "./wait.ts";
import { type WebAnswer, WebClient } from "./web-client.ts";
import { type Description, describedBy } from "./web-description.ts";
import { visits as firstVisits, GUEST } from "./web-visits.ts";
import type { Running } from "./with-product.ts";

/** The sign-out comes last; requests that end the mailbox's session, such as a suspension, come after its own requests. */
const visits = (queueId: string) => {
  const listed = { ...mailboxVisits(queueId), ...managingVisits, ...firstVisits(queueId) };
  return { ...usualVisits(listed), ...listed };
};

const ROUTES = Object.keys(visits(""));
const PAGE = ["/", "/programs/{name}", "/style.css", "/icon.svg"].map((path) => `GET ${path}`);

/** These tests leave encryption turned on. */
export function routesTests({ lab, product }: Running): void {
  let web: WebClient;
  let bearer: WebClient;
  let owner: WebClient;
  let user: WebClient;
  let described: Description;
  let queueId: string;
  before(async () => {
    web = await WebClient.local(lab.server);
    bearer = web.bearing(await product.makeToken("routes", "--scope", "owner"));
    owner = await web.signedIn({ password: ADMIN_PASSWORD });
    user = await web.signedIn({ account: ANNA, password: PASSWORD });
    described = describedBy((await bearer.ask("GET", "/openapi.json")).json());
    // Gives the routes something to show.
    queueId = assertAccepted(await sendMail({ host: lab.sender, from: GUEST }));
    await tryLogIn(lab.sender, GUEST, ANNA, "a wrong one");
  });

  /** A client with the weakest credential that a route accepts. */
  function clientFor(route: string): WebClient {
    const { security } = described.operation(route);
    if (security.length === 0) return web;
    if (JSON.stringify(security).includes('"mailbox"')) return user;
    return security.some((way) => "token" in way) ? bearer : owner;
  }

  test("is in the server's own description, and requested here", () => {
    assert.deepEqual(described.routes().toSorted(), ROUTES.toSorted());
  });

  for (const route of ROUTES)
    test(`${route} answers as described`, async () => {
      const [method = "", template = ""] = route.split(" ");
      for (const { path = template, body, headers, answers, code } of visits(queueId)[route] ?? []) {
        const answer = await clientFor(route).ask(method, path, { body, headers });
        const says = `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.equal(answer.status, answers, says);
        assert.deepEqual(described.faults(route, answer), [], says);
        if (code !== undefined) assert.ok(answer.text.includes(`"code":"${code}"`), says);
        expectSafeHeaders(answer, PAGE.includes(route) && answer.status === 200 ? "no-cache" : "no-store");
      }
    });

  /** Waits for this answer, which follows older ones for some seconds. */
  const reportedSoon = (path: string, expected: object): Promise<true> =>
    until(`${path} answers so`, async () => {
      const answer = await bearer.ask("GET", path);
      assert.partialDeepStrictEqual(answer.json(), expected, answer.text);
      assert.deepEqual(described.faults(`GET ${path}`, answer), []);
      return true;
    });

  test("an incident is shown with its steps, without their targets", async () => {
    await product.json(["incident", "open", "A", "test"]);
    await product.json(["incident", "note", "The provider was called."]);
    const timeline = [{ step: "open" }, { step: "note", says: "The provider was called.", audited: true }];
    await reportedSoon("/api/v1/incidents", { incidents: [{ title: "A test", steps: 2 }], timeline, isolation: null });
    await product.json(["incident", "close"]);
  });

  test("the access review shows where an account's Sieve script forwards its mail", async () => {
    const script = join(product.layout.mail, "example.test", "anna", ".dovecot.sieve");
    // It forwards nothing.
    writeFileSync(script, 'if false { redirect "anna@elsewhere.example"; }\n');
    const forwards = [{ to: ["anna@elsewhere.example"], by: ".dovecot.sieve" }];
    await reportedSoon("/api/v1/access", { items: [{ name: ANNA, addresses: [ANNA], forwards }] });
    rmSync(script);
  });

  test("legal holds are shown without their reasons", async () => {
    await product.json(["account", "legal-hold", ANNA, "on", "case 12"]);
    const { legalHolds } = z.object({ legalHolds: z.array(z.json()) }).parse(await product.json(["retention", "show"]));
    assert.partialDeepStrictEqual(legalHolds, [{ account: ANNA, reason: "case 12" }]);
    await reportedSoon("/api/v1/retention", { lastRun: null, paused: null, legalHolds: [{ account: ANNA }] });
    assert.doesNotMatch((await bearer.ask("GET", "/api/v1/retention")).text, /case 12/);
    await product.json(["account", "legal-hold", ANNA, "off"]);
  });

  test("encryption is shown with the fingerprint of its key, without its place", async () => {
    await reportedSoon("/api/v1/encryption", { encrypts: false, readable: null, fingerprint: null });
    await product.configure("mailboxes.encryption", "server");
    const { fingerprint } = z.object({ fingerprint: z.string() }).parse(await product.json(["encryption", "show"]));
    await reportedSoon("/api/v1/encryption", { encrypts: true, byAccount: false, readable: true, fingerprint });
    assert.doesNotMatch((await bearer.ask("GET", "/api/v1/encryption")).text, /\//);
  });

  test("the firewall is the same as on the command line", async () => {
    await reportedSoon("/api/v1/firewall", z.record(z.string(), z.json()).parse(await product.json(["firewall"])));
  });

  test("the streams start as described", async () => {
    for (const route of ["GET /api/v1/stream", "GET /api/v1/events/stream"]) {
      const stream = await bearer.stream(route.slice("GET ".length));
      assert.deepEqual(described.faults(route, { ...stream, text: "", json: () => null }), [], route);
      assert.equal(stream.status, 200);
      stream.close();
    }
  });

  test("other routes do not exist", async () => {
    for (const path of ["/api", "/api/v1/nothing", "/index.html", "/../etc/passwd", "/%2e%2e/engine.db"]) {
      const answer = await bearer.ask("GET", path);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      expectSafeHeaders(answer, "no-store");
    }
  });
}

function expectSafeHeaders({ headers }: WebAnswer, cache: string): void {
  assert.match(headers["content-security-policy"] ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["cache-control"], cache);
}
