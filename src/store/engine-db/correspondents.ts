import type { DatabaseSync } from "node:sqlite";
import { withoutExtension } from "../../core/net/address.ts";
import type { Correspondents, GreylistPauses } from "../../guard/storage-ports.ts";
import { millis, rowReader, text } from "../columns.ts";
import { type Prepares, prepared } from "../transactions.ts";

/** Who wrote to whom, and whose mail greylisting does not delay now, from `engine.db`. Aliases' targets come from `accounts.db`. */
export function sqliteCorrespondents(engine: Prepares, accounts: DatabaseSync): Correspondents & GreylistPauses {
  const sql = prepared(engine, SQL);
  const targets = accounts.prepare("SELECT targets FROM alias_map WHERE address = ?");
  const behind = (alias: string): readonly string[] => {
    const row = targets.get(alias);
    return row === undefined ? [] : text(row["targets"]).split(",");
  };
  /** The address as written, without its extension, and the targets of an alias. */
  const namesOf = (recipient: string): string => {
    const written = recipient.toLowerCase();
    const names = [written, withoutExtension(written)];
    return JSON.stringify([...names, ...names.flatMap(behind)]);
  };
  return {
    wroteTo: (recipient, domains) => sql.wroteTo.get(namesOf(recipient), JSON.stringify(domains)) !== undefined,
    /** A second pause for a target replaces the first. */
    pause: ({ target, until, by }) => {
      sql.pause.run(target, until, by);
    },
    resume: (target, now) => {
      sql.forget.run(now);
      return sql.resume.run(target).changes > 0;
    },
    pauses: (now) => sql.pauses.all(now).map(rowReader({ target: text, until: millis, by: text })),
    isPaused: (recipient, now) => sql.paused.get(namesOf(recipient), now) !== undefined,
  };
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
