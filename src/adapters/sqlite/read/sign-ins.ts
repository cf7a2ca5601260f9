import type { DatabaseSync } from "node:sqlite";
import type { Seen } from "../../../core/access-review.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import { millisOrNull, text } from "../columns.ts";

const MOST_PLACES = 1_000;

/** Where and when the account last signed in, as `lastSignIn` knows it. */
export function lastPlace(engine: DatabaseSync, account: string): Seen | null {
  const row = engine
    .prepare("SELECT prefix, last_at FROM known_address WHERE lower(account) = ? ORDER BY last_at DESC LIMIT 1")
    .get(account.toLowerCase());
  const at = millisOrNull(row?.["last_at"] ?? null);
  return row === undefined || at === null ? null : { at: isoTime(at), from: text(row["prefix"]) };
}

/** When the account last signed in, as far as the memory reaches, from addresses that could be banned. Null: it did not. */
export function lastSignIn(engine: DatabaseSync, account: string): string | null {
  const row = engine
    .prepare("SELECT max(last_at) AS at FROM known_address WHERE lower(account) = ?")
    .get(account.toLowerCase());
  const at = millisOrNull(row?.["at"] ?? null);
  return at === null ? null : isoTime(at);
}

/** Addresses (IPv6 networks) from which the account signed in since then, and never before: the latest first. */
export function newPlaces(engine: DatabaseSync, account: string, since: Millis): readonly string[] {
  return engine
    .prepare(`
      SELECT prefix FROM known_address WHERE lower(account) = ? AND first_at >= ? ORDER BY last_at DESC LIMIT ${MOST_PLACES}`)
    .all(account.toLowerCase(), since)
    .map((row) => text(row["prefix"]));
}
