import { readFileSync } from "node:fs";
import { elderParts } from "../../src/mail/logs/log-follower.ts";

/** The whole log: its older parts, then the current one. */
export function wholeLog(file: string): string {
  return [...elderParts(file), file].map((path) => readFileSync(path, "utf8")).join("");
}
