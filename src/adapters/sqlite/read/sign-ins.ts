import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Seen } from "../../../core/access-review.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import { integer, millis, millisOrNull, text } from "../columns.ts";

const MOST_PLACES = 1_000;

/** The newest events to search: their table has no index by account. */
const MOST_EVENTS = 100_000;

/**
 * Where and when accounts last signed in, from the memory of addresses that could be banned and from the newest events, which also
 * include sign-ins from the allow list. Reads each event once.
 */
export class LastSignIns {
  readonly #known: StatementSync;
  readonly #newer: StatementSync;
  readonly #newest: StatementSync;
  readonly #recorded = new Map<string, Seen>();
  #upTo = 0;

  constructor(engine: DatabaseSync) {
    this.#known = engine.prepare(
      "SELECT prefix, last_at FROM known_address WHERE lower(account) = ? ORDER BY last_at DESC LIMIT 1",
    );
    this.#newest = engine.prepare("SELECT coalesce(max(id), 0) AS id FROM event");
    this.#newer = engine.prepare(`
      SELECT lower(account) AS account, at, coalesce(ip, '') AS ip FROM event
      WHERE id > ? AND id <= ? AND type = 'LOGIN_SUCCEEDED' AND account IS NOT NULL ORDER BY id`);
  }

  /** Null: no sign-in within the memory. */
  of(account: string): Seen | null {
    this.#read();
    const row = this.#known.get(account.toLowerCase());
    const at = millisOrNull(row?.["last_at"] ?? null);
    const known = row === undefined || at === null ? null : { at: isoTime(at), from: text(row["prefix"]) };
    const recorded = this.#recorded.get(account.toLowerCase()) ?? null;
    return known === null || (recorded !== null && recorded.at > known.at) ? recorded : known;
  }

  #read(): void {
    const newest = integer(this.#newest.get()?.["id"]);
    for (const row of this.#newer.iterate(Math.max(this.#upTo, newest - MOST_EVENTS), newest))
      this.#recorded.set(text(row["account"]), { at: isoTime(millis(row["at"])), from: text(row["ip"]) });
    this.#upTo = newest;
  }
}

/** Addresses (IPv6 networks) from which the account signed in since then, and never before: latest first. */
export function newPlaces(engine: DatabaseSync, account: string, since: Millis): readonly string[] {
  return engine
    .prepare(`
      SELECT prefix FROM known_address WHERE lower(account) = ? AND first_at >= ? ORDER BY last_at DESC LIMIT ${MOST_PLACES}`)
    .all(account.toLowerCase(), since)
    .map((row) => text(row["prefix"]));
}
