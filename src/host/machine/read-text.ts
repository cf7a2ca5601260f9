import { readFileSync } from "node:fs";

/** The text of a file of the kernel or of a program that may be gone; empty if it cannot be read. */
export function textOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
