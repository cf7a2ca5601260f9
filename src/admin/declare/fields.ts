import * as z from "zod/mini";
import { printable } from "../../core/text.ts";

/**
 * Fields of JSON objects, each with its exact type, its bound (lengths in UTF-16 units) and the end of the sentence with which
 * `readFields` refuses a wrong value. In the guard, `zod/mini` takes 0.2 MB of memory and `zod` 4 MB. Each schema takes kilobytes
 * more, so it is made when it is first used.
 */

export function lazily<T>(make: () => T): () => T {
  let made: Readonly<{ value: T }> | null = null;
  return () => (made ??= { value: make() }).value;
}

/** The schema of an object, made when it is first used. */
export function object<const S extends z.core.$ZodShape>(shape: () => S) {
  return lazily(() => z.object(shape()));
}

/** The same, with its name and examples in `/openapi.json`. */
export function component<const S extends z.core.$ZodShape>(meta: z.core.GlobalMeta, shape: () => S) {
  return lazily(() => z.object(shape()).check(z.meta(meta)));
}

/** The type that such a schema describes. */
export type OutputOf<F extends () => z.ZodMiniType> = Readonly<z.output<ReturnType<F>>>;

export function text(most: number) {
  const says = `is not a text of at most ${most} characters`;
  return z.string(says).check(z.maxLength(most, says));
}

/** Text that a person wrote, made printable. */
export function printableText(most: number) {
  return z.pipe(
    text(most),
    z.transform((written: string) => printable(written, most)),
  );
}

export function texts(mostTexts: number, most: number) {
  const says = `is not a list of at most ${mostTexts} texts of at most ${most} characters`;
  const one = z.string(says).check(z.maxLength(most, says));
  return z.readonly(z.array(one, says).check(z.maxLength(mostTexts, says)));
}

/** A list of objects, each with these fields and no other. */
export function objects<const S extends z.core.$ZodShape>(mostObjects: number, shape: S) {
  const says = `is not a list of at most ${mostObjects} objects`;
  return z.readonly(z.array(z.strictObject(shape, says), says).check(z.maxLength(mostObjects, says)));
}

export function wholeNumber(least: number, most: number) {
  const says = `is not a whole number from ${least} to ${most}`;
  return z.int(says).check(z.minimum(least, says), z.maximum(most, says));
}

export const flag = z.boolean("is neither true nor false");
export const anObject = z.custom<Readonly<Record<string, unknown>>>(isObject, "is not an object");

export type FieldsRead<T> = Readonly<{ ok: true; value: T }> | Readonly<{ ok: false; problem: string }>;

/** Reports only the first problem, in one printable sentence. */
export function readFields<S extends z.ZodMiniType>(schema: S, json: unknown): FieldsRead<z.output<S>> {
  // `jitless` skips compiling the schema to a function, which does not pay for so few lines.
  const read = schema.safeParse(json, { jitless: true });
  return read.success ? { ok: true, value: read.data } : { ok: false, problem: sentence(read.error.issues[0]) };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sentence(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === "unrecognized_keys") return `Unknown field "${printable(issue.keys[0] ?? "", 40)}".`;
  const field = issue?.path.findLast((step) => typeof step === "string");
  return `The field "${field ?? ""}" ${issue?.message ?? "is wrong"}.`;
}
