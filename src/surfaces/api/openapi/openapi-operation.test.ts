import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { type RouteLine, route } from "../route.ts";
import { operationOf, Schemas, TAGS, tagOf } from "./openapi-operation.ts";

type Row = Partial<Parameters<typeof route>[2]>;
const rowOf = (line: RouteLine, more: Row = {}) => route(line, "It says.", { run: () => null, ...more });

test("each operation has a unique name, made of its method and path", () => {
  for (const [line, id] of [
    ["DELETE /api/v1/bans/{network}", "deleteBansByNetwork"],
    ["POST /api/security", "postSecurity"],
    ["GET /", "getPage"],
    ["GET /openapi.json", "getOpenapiJson"],
  ] as const)
    assert.equal(operationOf(rowOf(line), new Schemas())["operationId"], id);
});

test("a parameter has its own description, and only optional ones may be omitted", () => {
  const query = z.object({ a: z.string().describe("An a."), b: z.string().optional().describe("A b.") });
  const { parameters } = operationOf(rowOf("GET /x", { query }), new Schemas());
  assert.deepEqual(parameters, [
    { name: "a", in: "query", required: true, description: "An a.", schema: { type: "string" } },
    { name: "b", in: "query", required: false, description: "A b.", schema: { type: "string" } },
  ]);
});

test("the answers tell what may go wrong: a command may be refused, a page may not", () => {
  const statusesOf = (line: RouteLine, more: Row) =>
    Object.keys(operationOf(rowOf(line, more), new Schemas())["responses"] ?? {});
  assert.deepEqual(
    statusesOf("DELETE /api/v1/bans", { asks: "unban" }),
    "200 400 401 403 409 429 503 default".split(" "),
  );
  assert.deepEqual(statusesOf("GET /style.css", { who: "anyone" }), "200 304 404 default".split(" "));
});

test("a schema with a name stands once among the named, and is meant by its name elsewhere", () => {
  const schemas = new Schemas();
  const inner = z.object({ a: z.string() }).meta({ id: "SampleInner" });
  const outer = schemas.of(z.object({ one: inner, many: z.array(inner) }), "output");
  const meant = { $ref: "#/components/schemas/SampleInner" };
  assert.deepEqual(outer["properties"], { one: meant, many: { type: "array", items: meant } });
  assert.deepEqual(schemas.of(inner, "output"), meant);
  assert.deepEqual(Object.keys(schemas.named()), ["SampleInner"]);
});

test("a route belongs to the group with the first word of its path", () => {
  for (const [path, tag] of [
    ["/api/v1/bans/{network}", "bans"],
    ["/api/v1/session/proof", "access"],
    ["/api/v1/stats", "figures"],
    ["/healthz/live", "system"],
    ["/style.css", "page"],
    ["/", "page"],
  ] as const)
    assert.equal(tagOf(path), tag, path);
});

test("no path is in two groups", () => {
  const paths = TAGS.flatMap(({ paths }) => paths.split(" "));
  assert.equal(new Set(paths).size, paths.length);
});
