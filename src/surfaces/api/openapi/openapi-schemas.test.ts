import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { Schemas } from "./openapi-operation.ts";

test("a schema with a name stands once among the named, and is meant by its name elsewhere", () => {
  const schemas = new Schemas();
  const inner = z.object({ a: z.string() }).meta({ id: "SampleInner" });
  const outer = schemas.of(z.object({ one: inner, many: z.array(inner) }), "output");
  const meant = { $ref: "#/components/schemas/SampleInner" };
  assert.deepEqual(outer["properties"], { one: meant, many: { type: "array", items: meant } });
  assert.deepEqual(schemas.of(inner, "output"), meant);
  assert.deepEqual(Object.keys(schemas.named()), ["SampleInner"]);
});
