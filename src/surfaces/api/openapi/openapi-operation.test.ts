import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { route } from "../route.ts";
import { operationOf, Schemas } from "./openapi-operation.ts";

const SAMPLE = { who: "session_or_token", bodyBytes: 0, says: "It says.", run: () => null } as const;

test("each operation has a unique name, made of its method and path", () => {
  for (const [method, path, id] of [
    ["DELETE", "/api/v1/bans/{network}", "deleteBansByNetwork"],
    ["POST", "/api/security", "postSecurity"],
    ["GET", "/", "getPage"],
    ["GET", "/openapi.json", "getOpenapiJson"],
  ] as const)
    assert.equal(operationOf(route({ ...SAMPLE, method, path }), new Schemas())["operationId"], id);
});

test("a parameter has its own description, and only optional ones may be omitted", () => {
  const query = z.object({ a: z.string().describe("An a."), b: z.string().optional().describe("A b.") });
  const { parameters } = operationOf(route({ ...SAMPLE, method: "GET", path: "/x", query }), new Schemas());
  assert.deepEqual(parameters, [
    { name: "a", in: "query", required: true, description: "An a.", schema: { type: "string" } },
    { name: "b", in: "query", required: false, description: "A b.", schema: { type: "string" } },
  ]);
});

test("the answers tell what may go wrong: a command may be refused, a page may not", () => {
  const statusesOf = (row: Parameters<typeof route>[0]) =>
    Object.keys(operationOf(route(row), new Schemas())["responses"] ?? {});
  assert.deepEqual(
    statusesOf({ ...SAMPLE, method: "DELETE", path: "/api/v1/bans", asks: "unban" }),
    "200 400 401 403 409 429 503 default".split(" "),
  );
  assert.deepEqual(
    statusesOf({ ...SAMPLE, who: "anyone", method: "GET", path: "/style.css" }),
    "200 304 404 default".split(" "),
  );
});
