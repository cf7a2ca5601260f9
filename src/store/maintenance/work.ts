import { chmodSync, renameSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { LONGEST_NAME } from "../../core/decide/account-guard.ts";
import { messageOf } from "../../core/error.ts";
import type { Millis } from "../../core/time.ts";
import { integer, rowReader, text } from "../columns.ts";
import { KEPT_GUESSES, MOST_GUESSES, MOST_NAMED, type Surplus } from "../events/retention.ts";
import { ROUTINE } from "../events/retention-statements.ts";
import { createPrivate, isDamage, openAccountsForReading, refuseUnlessWhole } from "../open.ts";
import { copyPath, digestPath, removeDatabase } from "../recovery/database-files.ts";
import { digest } from "../recovery/salvage.ts";
import { prepared } from "../transactions.ts";
import type { Copied } from "./write-ahead-log.ts";

/** The guard's orders for the maintenance process: one at a time, with one line for each order and each answer. */
export type Order =
  | Readonly<{ type: "checkpoint" }>
  | Readonly<{ type: "count"; staleBefore: Millis }>
  | Readonly<{ type: "warm"; from: number; rows: number }>
  | Readonly<{ type: "digest" }>
  | Readonly<{ type: "copy_accounts"; path: string }>;
/** The result of writing a file from which a lost database can be restored. `isDamage`: the database is damaged. */
export type WriteOutcome = Readonly<{ ok: true } | { ok: false; isDamage: boolean; why: string }>;
type Results = { checkpoint: Copied; count: Surplus; warm: true; digest: WriteOutcome; copy_accounts: WriteOutcome };
export type Result<O extends Order> = Results[O["type"]];

/** The first line of the maintenance process. */
export const READY = "ready";

/** Carries out one line and returns its answer as a line of JSON; `null` if it could not be done. */
export async function carryOut(line: string, work: ReturnType<typeof maintenanceWork>): Promise<string> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guard wrote it, which started this process
  const order = JSON.parse(line) as Order;
  return JSON.stringify(await result(order, work));
}

async function result(order: Order, work: ReturnType<typeof maintenanceWork>): Promise<Results[keyof Results] | null> {
  switch (order.type) {
    case "checkpoint":
      return work.checkpoint();
    case "count":
      return work.count(order.staleBefore);
    case "warm":
      return work.warm(order.from, order.rows);
    case "digest":
      return outcomeOf(() => work.digest());
    case "copy_accounts":
      return outcomeOf(() => work.copyAccounts(order.path));
  }
}

async function outcomeOf(write: () => void | Promise<void>): Promise<WriteOutcome> {
  try {
    await write();
    return { ok: true };
  } catch (error) {
    return { ok: false, isDamage: isDamage(error), why: messageOf(error) };
  }
}

/** How long it may wait for another checkpoint. No decision waits for it. */
const BUSY_TIMEOUT_MS = 5_000;
const CACHE_KIB = 512;

/** Slow work and work that waits for the disk, in a separate process. It never takes the writer's lock. */
export function maintenanceWork(path: string) {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  db.exec(`
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF`);
  const sql = prepared(db, {
    // PASSIVE is the only mode that does not delay the writer.
    checkpoint: "PRAGMA wal_checkpoint(PASSIVE)",
    warm: `
      SELECT count(indexed.id) AS n FROM
        (SELECT id, at, prefix, counts FROM event WHERE id >= ? AND ${ROUTINE} ORDER BY id LIMIT ?) AS leaving
        LEFT JOIN event_subject AS indexed
        ON indexed.subject = leaving.prefix AND indexed.counts = leaving.counts
        AND indexed.at = leaving.at AND indexed.id = leaving.id`,
  });
  let accounts: DatabaseSync | null = null;
  return {
    /**
     * Copies frames that no reader needs any longer from the log into the database, and flushes both. Null if another process
     * is doing so.
     */
    checkpoint: (): Copied | null => {
      const row = sql.checkpoint.get();
      if (integer(row?.["busy"]) !== 0) return null;
      return { frames: integer(row?.["log"]), copied: integer(row?.["checkpointed"]) };
    },
    count: (staleBefore: Millis): Surplus => countSurplus(db, staleBefore),
    /** Reads rows that will soon be removed, so that the guard finds them in memory. */
    warm: (from: number, rows: number): true => {
      sql.warm.get(from, rows);
      return true;
    },
    /** Writes the lasting part of the database into a separate file, from which a lost database is restored. */
    digest: (): void => {
      const file = digestPath(path);
      using fresh = freshFile(file);
      createPrivate(fresh.path);
      digest(db, fresh.path);
      renameSync(fresh.path, file);
    },
    /** Makes a complete copy of `accounts.db`. Without it, a damaged one would lock everyone out. */
    copyAccounts: async (accountsDb: string): Promise<void> => {
      accounts ??= openAccountsForReading(accountsDb);
      refuseUnlessWhole(accounts, accountsDb);
      const copy = copyPath(accountsDb);
      using fresh = freshFile(copy);
      // Copies in steps, so that decisions continue.
      await backup(accounts, fresh.path);
      chmodSync(fresh.path, 0o640);
      renameSync(fresh.path, copy);
    },
  };
}

/** A free name beside a file. Removes any file with that name at the end, because an unfinished copy would keep a full disk full. */
function freshFile(file: string) {
  const path = `${file}.new`;
  const remove = (): void => removeDatabase(path);
  remove();
  return { path, [Symbol.dispose]: remove };
}

/** Works on any connection, because tests use the guard's. */
export function countSurplus(db: DatabaseSync, staleBefore: Millis): Surplus {
  const counted = db.prepare(`
    WITH first AS (SELECT coalesce((SELECT id FROM event WHERE ${ROUTINE} ORDER BY id LIMIT 1),
      (SELECT coalesce(max(id), 0) FROM event)) AS id)
    SELECT (SELECT id FROM first) AS first,
      (SELECT count(*) FROM event_subject WHERE counts > 0 AND id < (SELECT id FROM first)) AS orphans,
      (SELECT count(*) FROM guess) AS guesses,
      (SELECT count(*) FROM ban WHERE ended_at IS NOT NULL) AS bans,
      (SELECT count(*) FROM correspondent) AS correspondents,
      (SELECT count(*) FROM honest_mail) AS honest`);
  const row = counted.get();
  const of = (column: string): number => integer(row?.[column]);
  const stale = db.prepare(`
    SELECT subject, counts, at, id FROM event_subject WHERE counts > 0 AND at < ? AND id < ? LIMIT ${MOST_NAMED}`);
  return {
    firstRoutine: of("first"),
    orphans: of("orphans"),
    stale: stale
      .all(staleBefore, of("first"))
      .map(rowReader({ subject: text, counts: integer, at: integer, id: integer })),
    guesses: surplusGuesses(db, of("guesses") - MOST_GUESSES),
    endedBans: of("bans"),
    correspondents: of("correspondents"),
    honestMail: of("honest"),
  };
}

/** Oldest first, but the latest of each account last, so that a flood of names, or at one account, resets no other account's budget. */
function surplusGuesses(db: DatabaseSync, surplus: number): Surplus["guesses"] {
  if (surplus <= 0) return [];
  const found = db.prepare(`
    WITH existing AS (
      SELECT substr(lower(account), 1, ${LONGEST_NAME}) AS account
      FROM (SELECT account FROM account_password UNION SELECT account FROM known_address))
    SELECT account, network, proof, at FROM (
      SELECT *, account IN existing AS exists_here, row_number() OVER (PARTITION BY account ORDER BY at DESC) AS nth
      FROM guess)
    ORDER BY exists_here AND nth <= ${KEPT_GUESSES}, at LIMIT ?`);
  return found
    .all(Math.min(surplus, MOST_NAMED))
    .map(rowReader({ account: text, network: text, proof: text, at: integer }));
}
