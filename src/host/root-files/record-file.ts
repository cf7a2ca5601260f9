import { readFileSync } from "node:fs";
import * as z from "zod/mini";
import { writeFile } from "./files.ts";

/**
 * Reads a record of root's. `none` if it is missing, unreadable for this user, or damaged: it only remembers
 * something, and work continues without it.
 */
export function readRecord<Value>(path: string, schema: z.ZodMiniType<Value>, none: Value): Value {
  try {
    const read = z.safeParse(schema, JSON.parse(readFileSync(path, "utf8")));
    return read.success ? read.data : none;
  } catch {
    return none;
  }
}

/** Replaces it; only root can read it. Throws if it cannot be written. */
export function writeRecord(path: string, value: unknown): void {
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
