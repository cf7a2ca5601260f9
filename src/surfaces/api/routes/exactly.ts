import type * as z from "zod";

/** The same type without `readonly` and with its intersections folded, which is how zod infers. */
type Plain<T> = T extends readonly (infer I)[]
  ? Plain<I>[]
  : T extends object
    ? { -readonly [K in keyof T]: Plain<T[K]> }
    : T;
/** Both have the same fields and values. */
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;

/**
 * A schema for exactly this type. With `satisfies`, a schema could omit fields and codes that the server sends, and
 * `/openapi.json` would be wrong.
 */
export function exactly<T>() {
  return <S extends z.ZodType>(schema: Same<T, z.output<S>> extends true ? S : never): S => schema;
}
