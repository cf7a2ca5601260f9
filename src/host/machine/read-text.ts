import { readFileSync } from "node:fs";
import { readOr } from "../../core/error.ts";

/** The text of a file of the kernel or of a program that may be gone; empty if it cannot be read. */
export function textOrNothing(path: string): string {
  return readOr(() => readFileSync(path, "utf8"), "");
}
