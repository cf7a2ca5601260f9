import type { DatabaseSync } from "node:sqlite";
import { isoTime } from "../../../core/time.ts";
import { millis, text } from "../columns.ts";

/** When each account last signed in, by its name in lower case; within the memory, and from addresses that could be banned. */
export function lastSignIns(engine: DatabaseSync): ReadonlyMap<string, string> {
  const rows = engine.prepare("SELECT lower(account) AS name, max(last_at) AS at FROM known_address GROUP BY 1").all();
  return new Map(rows.map((row) => [text(row["name"]), isoTime(millis(row["at"]))]));
}
