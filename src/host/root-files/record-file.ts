import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type * as z from "zod/mini";
import { failureOf, nullOn, reportOnce } from "../../core/error.ts";
import { parseAs } from "../../core/parse-as.ts";
import type { Layout } from "../../settings/layout.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { SetUpFailure } from "../running/failure.ts";
import { appendFile, writeFile } from "./files.ts";
import { whileLocked } from "./lock-file.ts";

/**
 * Reads a record of root's. Returns `none` if it is missing, unreadable for this user, or damaged, because it is only a
 * memory, without which work can continue.
 */
export function readRecord<Value>(path: string, schema: z.ZodMiniType<Value>, none: Value): Value {
  return parseAs(schema, textOrNothing(path)) ?? none;
}

/**
 * Reads the next step of an interrupted exchange of files; null if there is none. Throws if it cannot be read, because without it
 * files that were moved aside would count as leftovers.
 */
export function readStep<Value>(path: string, schema: z.ZodMiniType<Value>): Value | null {
  const text = nullOn(["ENOENT"], () => readFileSync(path, "utf8"));
  if (text === null) return null;
  const step = parseAs(schema, text);
  if (step !== null) return step;
  throw new SetUpFailure(
    `A restore or rollback was interrupted, and ${path}, which holds its next step, is damaged: move the directories into place by hand, then delete that file.`,
  );
}

/** Adds a line of JSON, after ending one that a power failure truncated. */
export function appendRecord(path: string, value: unknown): void {
  const isCut = existsSync(path) && !/(?:^|\n)$/.test(readFileSync(path, "utf8"));
  appendFile(path, `${isCut ? "\n" : ""}${JSON.stringify(value)}\n`);
}

/** Reads the records of `appendRecord`. An invalid line is null; a missing file has no records. Throws if it cannot be read. */
export function readRecords<Value>(path: string, schema: z.ZodMiniType<Value>): readonly (Value | null)[] {
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  return lines.filter((line) => line !== "").map((line) => parseAs(schema, line));
}

/** Reads, changes and writes a record, so that no change is lost if another process does the same at that moment. */
export function changeRecord<Value>(path: string, read: () => Value, change: (before: Value) => Value): void {
  whileLocked(path, () => writeRecord(path, change(read())));
}

type Path = { [Name in keyof Layout]: Layout[Name] extends string ? Name : never }[keyof Layout];

/** Functions for the record in this file: `read` works like `readRecord`, `edit` and `change` (some fields only) like `changeRecord`. */
export function recordIn<Value extends object>(file: Path, schema: z.ZodMiniType<Value>, none: Value) {
  const read = (layout: Layout): Value => readRecord(layout[file], schema, none);
  const edit = (layout: Layout, to: (before: Value) => Value): void =>
    changeRecord(layout[file], () => read(layout), to);
  const change = (layout: Layout, fields: Partial<Value>): void => edit(layout, (before) => ({ ...before, ...fields }));
  return { read, edit, change };
}

/**
 * A value that the keeper remembers across restarts, in a file of this name beside its socket. A failed write is logged once, and
 * each call retries it. Until the next restart, the value in memory is used.
 */
export function rememberedIn<Value>(
  { keeperSocket }: Pick<Layout, "keeperSocket">,
  name: string,
  schema: z.ZodMiniType<Value>,
  none: Value,
) {
  const path = join(dirname(keeperSocket), name);
  let value = readRecord(path, schema, none);
  let isWritten = true;
  const report = reportOnce((why) => console.error(`keeper: ${path} could not be written: ${why}`));
  function use(next: Value): Value {
    if (isWritten && isDeepStrictEqual(next, value)) return value;
    value = next;
    const why = failureOf(() => writeRecord(path, next));
    isWritten = why === null;
    report(why);
    return value;
  }
  return { get: () => use(value), set: (next: Value): void => void use(next) };
}

/** Replaces a record, which only root can read. Throws if it cannot be written. */
export function writeRecord(path: string, value: unknown): void {
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
