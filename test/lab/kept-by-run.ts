import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A text that is expensive to make, shared by the files of one run; null if no file has made it yet, or outside of a run. */
export function keptByRun(name: string): string | null {
  const file = fileOf(name);
  return file !== null && existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** Stores it for later files of this run. */
export function keepForRun(name: string, text: string): string {
  const file = fileOf(name);
  if (file === null) return text;
  const made = `${file}-${process.pid}`;
  writeFileSync(made, text, { mode: 0o600 });
  renameSync(made, file);
  return text;
}

function fileOf(name: string): string | null {
  const directory = process.env["TEST_RUN_DIRECTORY"];
  return directory === undefined ? null : join(directory, name);
}
