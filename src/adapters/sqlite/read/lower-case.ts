import type { DatabaseSync } from "node:sqlite";

const ASCII = /^\p{ASCII}*$/u;

/** For `lowerCaseFor`. */
export function addLowerCase(db: DatabaseSync): void {
  db.function("in_lower_case", { deterministic: true }, (said) => String(said).toLowerCase());
}

/** Turns the searched text into small letters. SQLite's own `lower` knows only the letters of ASCII, and takes half the time. */
export function lowerCaseFor(wanted: string): "lower" | "in_lower_case" {
  return ASCII.test(wanted) ? "lower" : "in_lower_case";
}
