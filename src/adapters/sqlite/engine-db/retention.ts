import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditType } from "../../../core/events/command.ts";
import { DAY_MS, HOUR_MS, type Millis } from "../../../core/time.ts";
import { integer } from "../columns.ts";
import type { EventCount } from "./event-count.ts";

export type RetentionLimits = Readonly<{
  maxRows: number;
  /** Of the pages in use in `engine.db`; the file itself never shrinks but grows no further. */
  maxBytes: number;
  maxAgeMs: number;
  /** The longest window of any limit: what counts in it is remembered though its event is gone. */
  windowMs: number;
}>;

/** Whatever the byte limit says, the newest events stay: something else is large, and deleting them would not help. */
const FEWEST_ROWS = 1_000;
/** What entries of windows without their event may take of `maxBytes`, and what one takes at most. */
const ORPHANS_SHARE = 0.25;
const ORPHAN_BYTES = 96;
const KNOWN_FOR_MS = 180 * DAY_MS;
/** As long as limits.accounts.window may be. */
const GUESSES_FOR_MS = 7 * DAY_MS;
const MOST_GUESSES = 200_000;
const BANS_FOR_MS = 90 * DAY_MS;
const MOST_ENDED_BANS = 200_000;
const STEPS_FOR_MS = HOUR_MS;
const MOST_STEPS = 100_000;
/** Someone we wrote to a year ago may still answer. */
const CORRESPONDENTS_FOR_MS = 400 * DAY_MS;
const MOST_CORRESPONDENTS = 100_000;
const HONEST_MAIL_FOR_MS = 90 * DAY_MS;
const MOST_HONEST_MAIL = 100_000;
const SUMMARY_FOR_MS = 400 * DAY_MS;
const SWEEP_EVERY_MS = HOUR_MS;

/**
 * Keeps `engine.db` within its limits. What happens every second goes first, into an hourly summary; bans and what
 * administrators did stay until nothing else is left. Shares the guard's connection: call it between transactions,
 * and after `SqliteStore.settle`, for an event that goes before it entered its index is gone from the windows too.
 */
export class Retention {
  readonly #db: DatabaseSync;
  readonly #events: EventCount;
  readonly #limits: RetentionLimits;
  readonly #sql: ReturnType<typeof statements>;
  /** Below this id only rows are left that are kept longer. */
  #routineFrom = 0;
  /** Entries of windows whose events are gone; null until they were counted. */
  #orphans: number | null = null;
  #nextSweepAt = Number.NEGATIVE_INFINITY;

  constructor(db: DatabaseSync, events: EventCount, limits: RetentionLimits) {
    this.#db = db;
    this.#events = events;
    this.#limits = limits;
    this.#sql = statements((sql) => db.prepare(sql));
  }

  /**
   * Removes at most `batch` events, and at most as many rows of each other kind. Returns how many events went: while
   * it is `batch`, there may be more. 100 events take about a millisecond, 1,000 take twenty. Throws when the database
   * takes no writes; nothing is half done then.
   */
  step(now: Millis, batch = 100): number {
    const excess = this.#excess(now, batch);
    if (excess === 0 && now < this.#nextSweepAt) return 0;
    this.#sql.begin.run();
    try {
      const gone = excess === 0 ? 0 : this.#aggregate(excess, now);
      const swept = now < this.#nextSweepAt ? 0 : this.#sweep(now, batch);
      this.#sql.commit.run();
      this.#events.commit();
      if (now >= this.#nextSweepAt && swept < batch) this.#nextSweepAt = now + SWEEP_EVERY_MS;
      return gone;
    } catch (error) {
      this.#events.rollback();
      this.#routineFrom = 0;
      if (this.#db.isTransaction) this.#sql.rollback.run();
      throw error;
    }
  }

  /** Whether there are more events than may be kept, however young. */
  isPressed(): boolean {
    return this.#events.rows > this.#limits.maxRows || this.usedBytes() > this.#limits.maxBytes;
  }

  /** Bytes of the pages in use. */
  usedBytes(): number {
    const pages = integer(this.#sql.pageCount.get()?.["page_count"]);
    const free = integer(this.#sql.freePages.get()?.["freelist_count"]);
    return (pages - free) * integer(this.#sql.pageSize.get()?.["page_size"]);
  }

  /** How many events to remove now. */
  #excess(now: Millis, batch: number): number {
    const rows = this.#events.rows;
    const { maxRows, maxBytes, maxAgeMs } = this.#limits;
    if (rows > maxRows) return Math.min(batch, rows - maxRows);
    if (rows > FEWEST_ROWS && this.usedBytes() > maxBytes) return Math.min(batch, rows - FEWEST_ROWS);
    const oldest = this.#sql.firstRoutine.get(this.#routineFrom);
    if (oldest === undefined) return 0;
    this.#routineFrom = integer(oldest["id"]);
    const cutoff = now - maxAgeMs;
    if (integer(oldest["at"]) >= cutoff) return 0;
    return integer(this.#sql.countOlder.get(this.#routineFrom, cutoff, batch)?.["n"]);
  }

  #aggregate(most: number, now: Millis): number {
    const sql = this.#sql;
    const routine = sql.routine.get(this.#routineFrom, most);
    const found = integer(routine?.["n"]);
    if (found === 0) return this.#remove(sql.oldest.get(most), sql.any, now);
    const gone = this.#remove(routine, sql.routineOnly, now);
    this.#routineFrom = integer(routine?.["high"]) + 1;
    return gone;
  }

  /** A flood must not empty the windows of those who came before it: what counts stays, as far as there is room. */
  #remove(range: Range, which: Removal, now: Millis): number {
    if (range === undefined || range["low"] === null) return 0;
    const [low, high] = [integer(range["low"]), integer(range["high"])];
    this.#orphans ??= integer(this.#sql.countOrphans.get(this.#routineFrom)?.["n"]);
    const { maxRows, maxBytes } = this.#limits;
    const room = Math.min(maxRows, (maxBytes * ORPHANS_SHARE) / ORPHAN_BYTES);
    const keepFrom = this.#orphans < room ? now - this.#limits.windowMs : Number.MAX_SAFE_INTEGER;
    this.#orphans += integer(which.countKept.get(low, high, keepFrom)?.["n"]);
    which.summarise.run(low, high);
    which.forget.run(low, high, keepFrom);
    which.forgetAccount.run(low, high, keepFrom);
    which.forgetNames.run(low, high);
    const gone = Number(which.remove.run(low, high).changes);
    this.#events.add(-gone);
    return gone;
  }

  /** Once its time is over, what was kept for a window goes too. */
  #sweepOrphans(now: Millis, batch: number): number {
    if (this.#orphans === null || this.#orphans === 0) return 0;
    const gone = Number(this.#sql.dropOrphans.run(now - this.#limits.windowMs, this.#routineFrom, batch).changes);
    this.#orphans = Math.max(0, this.#orphans - gone);
    return gone;
  }

  /** Returns the most rows of any one kind that went. */
  #sweep(now: Millis, batch: number): number {
    const gone = [
      this.#sql.dropGuesses.run(now - GUESSES_FOR_MS, batch),
      this.#sql.dropManyGuesses.run(batch, MOST_GUESSES),
      this.#sql.dropKnown.run(now - KNOWN_FOR_MS, batch),
      this.#sql.dropOldBans.run(now - BANS_FOR_MS, batch),
      this.#sql.dropManyBans.run(batch, MOST_ENDED_BANS),
      this.#sql.dropSteps.run(now - STEPS_FOR_MS, MOST_STEPS, batch),
      this.#sql.dropOldCorrespondents.run(now - CORRESPONDENTS_FOR_MS, batch),
      this.#sql.dropManyCorrespondents.run(batch, MOST_CORRESPONDENTS),
      this.#sql.dropOldHonest.run(Math.floor((now - HONEST_MAIL_FOR_MS) / DAY_MS), batch),
      this.#sql.dropManyHonest.run(batch, MOST_HONEST_MAIL),
      this.#sql.dropSummary.run(now - SUMMARY_FOR_MS, batch),
    ];
    return Math.max(this.#sweepOrphans(now, batch), ...gone.map(({ changes }) => Number(changes)));
  }
}

/** How events of one kind go, by their lowest and highest id. */
type Removal = Readonly<
  Record<"countKept" | "summarise" | "forget" | "forgetAccount" | "forgetNames" | "remove", StatementSync>
>;

type Range = Readonly<Record<string, unknown>> | undefined;

/** What is kept longest: bans, and what administrators did. Who is spared is told as often as a jail reports it. */
const KEPT: Readonly<Record<AuditType | KeptType, true>> = {
  BAN: true,
  UNBAN: true,
  BAN_EXPIRED: true,
  BAN_REFUSED: true,
  ALLOW_ADDED: true,
  ALLOW_REMOVED: true,
  ALLOW_EXPIRED: true,
  ACCOUNT_ADDED: true,
  ACCOUNT_REMOVED: true,
  ACCOUNT_SUSPENDED: true,
  ACCOUNT_RESUMED: true,
  PASSWORD_CHANGED: true,
  NETWORKS_CHANGED: true,
  ALIAS_ADDED: true,
  ALIAS_REMOVED: true,
  ALIAS_BLOCKED: true,
  ALIAS_UNBLOCKED: true,
  SPAM_ALLOW_ADDED: true,
  SPAM_ALLOW_REMOVED: true,
  TOKEN_CREATED: true,
  TOKEN_REVOKED: true,
  ADMIN_PASSWORD_CHANGED: true,
  SETTINGS_APPLIED: true,
  GREYLIST_PAUSED: true,
  GREYLIST_RESUMED: true,
  BREAK_GLASS: true,
  COMMAND_REFUSED: true,
  EVENTS_AGGREGATED: true,
};

type KeptType = "BAN" | "UNBAN" | "BAN_EXPIRED" | "BAN_REFUSED" | "ALLOW_ADDED" | "ALLOW_REMOVED" | "ALLOW_EXPIRED";

function statements(sql: (text: string) => StatementSync) {
  // The newest event always stays: SQLite would give its id to the next one, and ids are cursors.
  const spare = "id < (SELECT max(id) FROM event)";
  const routine = `type NOT IN (${Object.keys(KEPT)
    .map((type) => `'${type}'`)
    .join(", ")})`;
  const summarise = (which: string): string => `
    INSERT INTO event_summary (hour, type, reason, count)
    SELECT at - at % ${HOUR_MS}, type, coalesce(reason, ''), count(*) FROM event
    WHERE id BETWEEN ? AND ? AND ${which} GROUP BY 1, 2, 3
    ON CONFLICT DO UPDATE SET count = count + excluded.count`;
  const removal = (which: string): Removal => {
    const within = `id BETWEEN ?1 AND ?2 AND ${which}`;
    const forget = (subject: "prefix" | "account", more: string): string => `
      DELETE FROM event_subject WHERE (subject, counts, at, id) IN (
        SELECT ${subject}, counts, at, id FROM event
        WHERE ${within} AND ${subject} IS NOT NULL AND ${more} AND (counts = 0 OR at < ?3))`;
    return {
      countKept: sql(`SELECT count(*) AS n FROM event WHERE ${within} AND counts > 0 AND at >= ?3`),
      summarise: sql(summarise(which)),
      forget: sql(forget("prefix", "true")),
      forgetAccount: sql(forget("account", "counts = 3")),
      forgetNames: sql(`
        DELETE FROM event_name WHERE (role, name, id) IN (SELECT role, name, id FROM event_names WHERE ${within})`),
      remove: sql(`DELETE FROM event WHERE ${within}`),
    };
  };
  return {
    begin: sql("BEGIN IMMEDIATE"),
    commit: sql("COMMIT"),
    rollback: sql("ROLLBACK"),
    pageCount: sql("PRAGMA page_count"),
    freePages: sql("PRAGMA freelist_count"),
    pageSize: sql("PRAGMA page_size"),
    firstRoutine: sql(`SELECT id, at FROM event WHERE id >= ? AND ${spare} AND ${routine} ORDER BY id LIMIT 1`),
    countOlder: sql(`
      SELECT count(*) AS n FROM
        (SELECT at FROM event WHERE id >= ?1 AND ${spare} AND ${routine} ORDER BY id LIMIT ?3) WHERE at < ?2`),
    routine: sql(`
      SELECT min(id) AS low, max(id) AS high, count(*) AS n FROM
        (SELECT id FROM event WHERE id >= ? AND ${spare} AND ${routine} ORDER BY id LIMIT ?)`),
    oldest: sql(`
      SELECT min(id) AS low, max(id) AS high FROM (SELECT id FROM event WHERE ${spare} ORDER BY id LIMIT ?)`),
    routineOnly: removal(routine),
    any: removal("true"),
    // Below the first routine event only such are left in `event` that count in no window.
    countOrphans: sql("SELECT count(*) AS n FROM event_subject WHERE counts > 0 AND id < ?"),
    dropOrphans: sql(`
      DELETE FROM event_subject WHERE (subject, counts, at, id) IN
        (SELECT subject, counts, at, id FROM event_subject WHERE counts > 0 AND at < ? AND id < ? LIMIT ?)`),
    dropGuesses: sql(`
      DELETE FROM guess WHERE (account, network, proof) IN
        (SELECT account, network, proof FROM guess WHERE at < ? ORDER BY at LIMIT ?)`),
    dropManyGuesses: sql(`
      DELETE FROM guess WHERE (account, network, proof) IN
        (SELECT account, network, proof FROM guess ORDER BY at LIMIT max(0, min(?, (SELECT count(*) FROM guess) - ?)))`),
    dropKnown: sql(`
      DELETE FROM known_address WHERE (prefix, account) IN
        (SELECT prefix, account FROM known_address WHERE last_at < ? LIMIT ?)`),
    dropOldBans: sql(`
      DELETE FROM ban WHERE id IN (SELECT id FROM ban WHERE ended_at < ? ORDER BY ended_at LIMIT ?)`),
    dropManyBans: sql(`
      DELETE FROM ban WHERE id IN (SELECT id FROM ban WHERE ended_at IS NOT NULL ORDER BY ended_at LIMIT
        max(0, min(?, (SELECT count(*) FROM ban WHERE ended_at IS NOT NULL) - ?)))`),
    dropSteps: sql(`
      DELETE FROM ban_step WHERE id IN (SELECT id FROM ban_step
        WHERE at < ? AND id <= (SELECT max(id) FROM ban_step) - ? ORDER BY id LIMIT ?)`),
    dropOldCorrespondents: sql(`
      DELETE FROM correspondent WHERE (address, account) IN
        (SELECT address, account FROM correspondent WHERE last_at < ? ORDER BY last_at LIMIT ?)`),
    dropManyCorrespondents: sql(`
      DELETE FROM correspondent WHERE (address, account) IN
        (SELECT address, account FROM correspondent ORDER BY last_at LIMIT
          max(0, min(?, (SELECT count(*) FROM correspondent) - ?)))`),
    dropOldHonest: sql(`
      DELETE FROM honest_mail WHERE (network, prefix, day) IN
        (SELECT network, prefix, day FROM honest_mail WHERE day < ? ORDER BY day LIMIT ?)`),
    dropManyHonest: sql(`
      DELETE FROM honest_mail WHERE (network, prefix, day) IN
        (SELECT network, prefix, day FROM honest_mail ORDER BY day LIMIT
          max(0, min(?, (SELECT count(*) FROM honest_mail) - ?)))`),
    dropSummary: sql(`
      DELETE FROM event_summary WHERE (hour, type, reason) IN
        (SELECT hour, type, reason FROM event_summary WHERE hour < ? LIMIT ?)`),
  };
}
