import type { DatabaseSync, StatementSync } from "node:sqlite";
import { withoutExtension } from "../../core/net/address.ts";
import type { Millis } from "../../core/time.ts";
import type { Correspondents, GreylistPause, GreylistPauses } from "../../guard/storage-ports.ts";
import { millis, text } from "../columns.ts";
import { type Prepared, type Prepares, prepared } from "../transactions.ts";

/** Who has corresponded with whom, from `engine.db`. The targets of aliases come from `accounts.db`. */
export class SqliteCorrespondents implements Correspondents, GreylistPauses {
  readonly #sql: Prepared<typeof SQL>;
  readonly #targets: StatementSync;

  constructor(engine: Prepares, accounts: DatabaseSync) {
    this.#sql = prepared(engine, SQL);
    this.#targets = accounts.prepare("SELECT targets FROM alias_map WHERE address = ?");
  }

  wroteTo(recipient: string, domains: readonly string[]): boolean {
    return this.#sql.wroteTo.get(JSON.stringify(this.#namesOf(recipient)), JSON.stringify(domains)) !== undefined;
  }

  /** A second pause for a target replaces the first. */
  pause({ target, until, by }: GreylistPause): void {
    this.#sql.pause.run(target, until, by);
  }

  resume(target: string, now: Millis): boolean {
    this.#sql.forget.run(now);
    return this.#sql.resume.run(target).changes > 0;
  }

  pauses(now: Millis): readonly GreylistPause[] {
    return this.#sql.pauses
      .all(now)
      .map((row) => ({ target: text(row["target"]), until: millis(row["until"]), by: text(row["by"]) }));
  }

  isPaused(recipient: string, now: Millis): boolean {
    return this.#sql.paused.get(JSON.stringify(this.#namesOf(recipient)), now) !== undefined;
  }

  /** The address as written, without its extension, and the targets of an alias. */
  #namesOf(recipient: string): readonly string[] {
    const written = recipient.toLowerCase();
    const names = [written, withoutExtension(written)];
    return [...names, ...names.flatMap((name) => this.#behind(name))];
  }

  #behind(alias: string): readonly string[] {
    const row = this.#targets.get(alias);
    return row === undefined ? [] : text(row["targets"]).split(",");
  }
}

const SQL = {
  wroteTo: `
    SELECT 1 FROM correspondent WHERE lower(account) IN (SELECT value FROM json_each(?1))
      AND substr(address, instr(address, '@') + 1) IN (SELECT value FROM json_each(?2)) LIMIT 1`,
  pause: `
    INSERT INTO greylist_pause (target, until, by) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET until = excluded.until, by = excluded.by`,
  resume: "DELETE FROM greylist_pause WHERE target = ?",
  paused: `
    SELECT 1 FROM greylist_pause WHERE target IN (SELECT value FROM json_each(?1)) AND until > ?2 LIMIT 1`,
  forget: "DELETE FROM greylist_pause WHERE until <= ?",
  pauses: "SELECT target, until, by FROM greylist_pause WHERE until > ? ORDER BY target",
};
