import { readFileSync } from "node:fs";
import { elderParts } from "../../src/daemon/keeper/keep-logs.ts";

/** All that was ever written to it: its elder parts, then the present one. */
export function wholeLog(file: string): string {
  return [...elderParts(file), file].map((path) => readFileSync(path, "utf8")).join("");
}
