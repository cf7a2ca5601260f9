import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { startKit } from "../../../test/kit/api-kit.ts";
import { createHandlers } from "./handlers.ts";
import { openApi } from "./openapi/openapi.ts";
import { routes } from "./routes.ts";

type Parameter = Readonly<{ name: string; description?: string } | { $ref: string }>;
type Operation = Readonly<{
  tags: readonly string[];
  description?: string;
  parameters?: readonly Parameter[];
  security: readonly Readonly<Record<string, readonly string[]>>[];
}>;
type Name = `${string} ${string}`;
type Document = Readonly<{ paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>;

test("the linter accepts the description", async (t) => {
  const { text } = await description(t);
  assert.deepEqual(await complaints(text), []);
  const wrong = text.replace('"operationId":"getBans"', '"operationId":"getTop"').replaceAll('"summary"', '"sumary"');
  assert.ok((await complaints(wrong)).length > 10, "it is asked");
});

test("every route of the API has a group, and each parameter a description", async (t) => {
  const bare: string[] = [];
  for (const [route, { tags, parameters = [] }] of (await description(t)).operations) {
    assert.equal(tags.length, 1, route);
    assert.equal(
      tags[0] === "page",
      !/ \/(api|health|metrics|openapi)/.test(route),
      `${route}: see openapi-operation.ts`,
    );
    for (const parameter of parameters)
      if (!("$ref" in parameter) && !parameter.description) bare.push(`${route}: ${parameter.name}`);
  }
  assert.deepEqual(bare, []);
});

test("a route says which scope it needs, and that it needs a fresh proof", async (t) => {
  const { table, operations } = await description(t);
  for (const row of table.filter(({ who, method }) => who !== "anyone" && method !== "GET"))
    assert.ok(row.asks !== undefined || row.needs !== undefined, `${row.method} ${row.path}: name its command in asks`);
  const securityOf = (route: Name) => operations.get(route)?.security;
  assert.deepEqual(securityOf("post /api/v1/bans"), [{ session: ["ban"] }, { token: ["ban"] }]);
  assert.deepEqual(securityOf("get /api/v1/tokens"), [{ session: ["admin"] }, { token: ["admin"] }]);
  assert.match(operations.get("post /api/v1/tokens")?.description ?? "", /Needs the password again/);
  assert.equal(operations.get("get /api/v1/tokens")?.description, undefined);
  assert.deepEqual(securityOf("get /api/v1/session"), [{ session: [] }, { token: [] }]);
});

async function description(t: TestContext) {
  const table = routes(createHandlers((await startKit(t)).parts));
  const text = JSON.stringify(openApi(table, "1.2.3"));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the linter holds it to this
  const { paths } = JSON.parse(text) as Document;
  const operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
    ),
  );
  return { table, text, operations };
}

async function complaints(source: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ""}`);
}
