import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { startKit, tableOf } from "../../../../test/kit/api-kit.ts";
import { NOTICE_CODES } from "../../../core/alerts/notices.ts";
import { PROBLEM_CODES } from "../problem.ts";
import { openApi } from "./openapi.ts";

type Parameter = Readonly<{ name: string; in: string; description?: string } | { $ref: string }>;
type Operation = Readonly<{
  operationId: string;
  summary: string;
  description?: string;
  tags: readonly string[];
  security: readonly Readonly<Record<string, readonly string[]>>[];
  parameters?: readonly Parameter[];
  requestBody?: object;
  responses: Readonly<Record<string, Readonly<{ content?: object }>>>;
}>;
type Document = Readonly<{ paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>;

test("the linter accepts the description", async (t) => {
  const { text } = await description(t);
  assert.deepEqual(await complaints(text), []);
  const wrong = text.replace('"operationId":"getBans"', '"operationId":"getTop"').replaceAll('"summary"', '"sumary"');
  assert.ok((await complaints(wrong)).length > 10, "it is asked");
});

test("the description lists every route of the table and who may call it", async (t) => {
  const { table, text, operations } = await description(t);
  assert.match(text, /^\{"openapi":"3\.1\./);
  assert.deepEqual([...operations.keys()].toSorted(), table.map(({ method, path }) => `${method} ${path}`).toSorted());
  assert.equal(new Set([...operations.values()].map(({ operationId }) => operationId)).size, table.length);
  for (const { method, path, says, who, schemas } of table) {
    const {
      summary,
      security,
      requestBody,
      parameters = [],
    } = operations.get(`${method} ${path}`) ?? assert.fail(path);
    assert.equal(summary, says);
    assert.equal(security.length, { anyone: 0, session: 1, session_or_token: 2 }[who], path);
    assert.equal(requestBody !== undefined, schemas.body !== undefined, path);
    const described = parameters.flatMap((one) => ("name" in one && one.in === "path" ? [one.name] : []));
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(described, named, path);
  }
});

test("every route of the API has a group, and each parameter a description", async (t) => {
  for (const [route, { tags, parameters = [] }] of (await description(t)).operations) {
    assert.equal(tags.length, 1, route);
    const isPage = !/ \/(api|health|metrics|openapi)/.test(route);
    assert.equal(tags[0] === "page", isPage, `${route}: see openapi-operation.ts`);
    for (const parameter of parameters) assert.ok("$ref" in parameter || parameter.description, route);
  }
});

test("a route says which scope it needs, and that it needs a fresh proof", async (t) => {
  const { table, operations } = await description(t);
  for (const row of table.filter(({ who, method }) => who !== "anyone" && method !== "GET"))
    assert.ok(row.asks !== undefined || row.needs !== undefined, `${row.method} ${row.path}: name its command in asks`);
  const securityOf = (route: `${string} ${string}`) => operations.get(route)?.security;
  assert.deepEqual(securityOf("POST /api/v1/bans"), [{ session: ["ban"] }, { token: ["ban"] }]);
  assert.deepEqual(securityOf("GET /api/v1/tokens"), [{ session: ["admin"] }, { token: ["admin"] }]);
  assert.deepEqual(securityOf("PUT /api/v1/me/vacation"), [{ session: ["mailbox"] }]);
  assert.match(operations.get("POST /api/v1/tokens")?.description ?? "", /Needs a fresh proof/);
  assert.equal(operations.get("GET /api/v1/tokens")?.description, undefined);
  assert.deepEqual(securityOf("GET /api/v1/session"), [{ session: [] }, { token: [] }]);
});

test("the description names every code of a notice and of a problem", async (t) => {
  const { text } = await description(t);
  for (const codes of [NOTICE_CODES, PROBLEM_CODES])
    assert.ok(text.includes(`"enum":${JSON.stringify(codes)}`), codes.join());
});

test("an answer without a body has no schema, and each operation lists its possible statuses", async (t) => {
  const { operations } = await description(t);
  const responsesOf = (route: `${string} ${string}`) => operations.get(route)?.responses ?? {};
  assert.equal(responsesOf("POST /api/v1/logout")["204"]?.content, undefined);
  const statusesOf = (route: `${string} ${string}`) => Object.keys(responsesOf(route)).join(" ");
  assert.equal(statusesOf("GET /api/v1/session"), "200 304 400 401 403 429 503 default");
  assert.equal(statusesOf("POST /api/v1/login"), "200 400 401 403 413 429 503 default");
  assert.equal(statusesOf("DELETE /api/v1/bans/{network}"), "200 400 401 403 409 429 503 default");
  assert.deepEqual(Object.keys(responsesOf("GET /healthz")["503"]?.content ?? {}), ["application/json"]);
});

async function description(t: TestContext) {
  const table = tableOf(await startKit(t));
  const text = JSON.stringify(openApi(table));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the linter checks the shape
  const { paths } = JSON.parse(text) as Document;
  const operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );
  return { table, text, operations };
}

async function complaints(source: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ""}`);
}
