import assert from "node:assert/strict";
import * as z from "zod/mini";
import * as core from "zod/v4/core";

/** For kinds of text without an example: the first of these that the kind accepts is used. */
const TEXTS = ["x", "2026-11-20T06:00:00.000Z", "0a1b2c3d4e5f", "4Wxyz12AbCz1", "00".repeat(32)];

/** A value that the schema accepts, from its kinds' examples. Without one, an optional value is absent and a nullable value is null. */
export function sampleOf(schema: core.$ZodType): unknown {
  const example = exampleOf(schema);
  if (example !== undefined) return example;
  if (schema instanceof core.$ZodOptional) return undefined;
  if (schema instanceof core.$ZodDefault) return schema._zod.def.defaultValue;
  if (schema instanceof core.$ZodNullable) return exampleOf(schema._zod.def.innerType) ?? null;
  if (schema instanceof core.$ZodReadonly) return sampleOf(schema._zod.def.innerType);
  if (schema instanceof core.$ZodPipe) return sampleOf(schema._zod.def.in);
  if (schema instanceof core.$ZodArray) return [sampleOf(schema._zod.def.element)];
  if (schema instanceof core.$ZodObject) return sampleOfFields(schema._zod.def.shape);
  if (schema instanceof core.$ZodUnion) return sampleOf(schema._zod.def.options[0] ?? assert.fail());
  if (schema instanceof core.$ZodLiteral || schema instanceof core.$ZodEnum) return [...(schema._zod.values ?? [])][0];
  const plain = [true, 1, ...TEXTS].find((value) => core.safeParse(schema, value).success);
  return plain ?? assert.fail(`no example of a ${schema._zod.def.type}: give its kind one`);
}

function exampleOf(schema: core.$ZodType): unknown {
  const examples: unknown = z.globalRegistry.get(schema)?.examples;
  return Array.isArray(examples) ? Array.from<unknown>(examples)[0] : undefined;
}

export function sampleOfFields(fields: core.$ZodShape): Readonly<Record<string, unknown>> {
  const samples = Object.entries(fields).map(([name, schema]) => [name, sampleOf(schema)] as const);
  return Object.fromEntries(samples.filter(([, sample]) => sample !== undefined));
}
