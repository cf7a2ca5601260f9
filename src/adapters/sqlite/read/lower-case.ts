import type { DatabaseSync } from "node:sqlite";

const ASCII = /^\p{ASCII}*$/u;

/** For `lowerCaseFor`. */
export function addLowerCase(db: DatabaseSync): void {
  db.function("in_lower_case", { deterministic: true }, (said) => String(said).toLowerCase());
}

/** Converts the searched text to lower case. SQLite's own `lower` handles only ASCII, in half the time. */
export function lowerCaseFor(wanted: string): "lower" | "in_lower_case" {
  return ASCII.test(wanted) ? "lower" : "in_lower_case";
}
