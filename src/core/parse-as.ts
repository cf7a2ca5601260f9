import * as z from "zod/mini";
import { parseJson } from "./text.ts";

/** Null if the text is not JSON of this form. */
export function parseAs<T>(schema: z.ZodMiniType<T>, text: string): T | null {
  const read = z.safeParse(schema, parseJson(text));
  return read.success ? read.data : null;
}
