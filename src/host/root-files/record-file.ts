import * as z from "zod/mini";
import { parseJson } from "../../core/text.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { writeFile } from "./files.ts";

/**
 * Reads a record of root's. `none` if it is missing, unreadable for this user, or damaged: it only remembers
 * something, and work continues without it.
 */
export function readRecord<Value>(path: string, schema: z.ZodMiniType<Value>, none: Value): Value {
  const read = z.safeParse(schema, parseJson(textOrNothing(path)));
  return read.success ? read.data : none;
}

/** Replaces it; only root can read it. Throws if it cannot be written. */
export function writeRecord(path: string, value: unknown): void {
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
