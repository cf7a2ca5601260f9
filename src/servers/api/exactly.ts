import type * as z from "zod";

/** The same type without `readonly` and with its intersections folded, which is how zod infers. */
type Plain<T> = T extends readonly (infer I)[]
  ? Plain<I>[]
  : T extends object
    ? { -readonly [K in keyof T]: Plain<T[K]> }
    : T;
/** Neither has a field, nor a value, that the other lacks. */
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;

/**
 * The schema of an answer of this type, of all of it and nothing else: with `satisfies` a schema could lack fields and
 * codes that the server sends, and `/openapi.json` would promise that they never come.
 */
export function exactly<T>() {
  return <S extends z.ZodType>(schema: Same<T, z.output<S>> extends true ? S : never): S => schema;
}
