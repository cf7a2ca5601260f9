import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AUDIT_LIMITS, type AuditLimits, ENTRIES_STAY_MS } from "../../core/audit/chain.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { integer, type Row } from "../columns.ts";
import { together } from "../transactions.ts";
import type { EventCount } from "./event-ids.ts";
import { type Removal, retentionStatements } from "./retention-statements.ts";

export type RetentionLimits = Readonly<{
  maxRows: number;
  /** Bytes of the used pages of `engine.db`. The file itself never shrinks, but stops growing. */
  maxBytes: number;
  maxAgeMs: number;
  /** The longest window of any limit. Entries within it stay even if their event is gone. */
  windowMs: number;
  /** How long after its end a ban may still count towards the next one. */
  offenceMs: () => number;
  audit?: AuditLimits;
}>;

/**
 * This many of the newest events always stay. If they still exceed the byte limit, something else is large, and deleting them
 * would not help.
 */
const FEWEST_ROWS = 1_000;
/** The share of `maxBytes` for window entries without their event, and the maximum bytes of one. */
const ORPHANS_SHARE = 0.25;
const ORPHAN_BYTES = 96;
const KNOWN_FOR_MS = 180 * DAY_MS;
/** The longest possible limits.accounts.window. */
const GUESSES_FOR_MS = 7 * DAY_MS;
export const MOST_GUESSES = 200_000;
/** The latest guesses kept for each account. The guard looks at twenty times `limits.accounts.failures`: they suffice for up to 200. */
export const KEPT_GUESSES = 4_000;
/** This many new ones before the next sweep bring it forward, so that a flood of sign-ins does not fill the database. */
const MANY_GUESSES = 10_000;
const LOOK_EVERY_MS = MINUTE_MS;
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

/** Maximum rows that one count lists. The rest waits for the next count, which follows at once. */
export const MOST_NAMED = 5_000;

/** Figures that need scans of whole tables, which the maintenance process does. All numbers but `firstRoutine` count rows. */
export type Surplus = Readonly<{
  /** The id of the oldest event of a type that is not kept longer. */
  firstRoutine: number;
  /** Window entries whose events are gone. */
  orphans: number;
  /** The orphans that no window counts; at most `MOST_NAMED`. */
  stale: readonly Readonly<{ subject: string; counts: number; at: number; id: number }>[];
  /** The guesses over `MOST_GUESSES`; at most `MOST_NAMED`. */
  guesses: readonly Readonly<{ account: string; network: string; proof: string; at: number }>[];
  endedBans: number;
  correspondents: number;
  honestMail: number;
}>;

/**
 * Keeps `engine.db` within its limits. Frequent events are removed first, into an hourly summary; bans and
 * administrators' commands stay until nothing else is left. It writes on the guard's connection, because there is one
 * writer: call it between transactions. Decisions wait for each step, so the caller chooses the size of a step.
 */
export class Retention {
  readonly #db: DatabaseSync;
  readonly #events: EventCount;
  readonly #limits: RetentionLimits;
  readonly #sql: ReturnType<typeof retentionStatements>;
  /** Below this id, all remaining rows are kept longer. */
  #routineFrom = 0;
  #orphans = 0;
  #isCounted = false;
  /** The rest of the current sweep. */
  #sweeps: readonly Sweep[] = [];
  #nextSweepAt = Number.NEGATIVE_INFINITY;
  #countedAt = 0;
  #lookAt = 0;

  constructor(db: DatabaseSync, events: EventCount, limits: RetentionLimits) {
    this.#db = db;
    this.#events = events;
    this.#limits = limits;
    this.#sql = retentionStatements((sql) => db.prepare(sql));
  }

  /** Whether whole tables must be counted: at the start, and before each sweep. */
  mustCount(now: Millis): boolean {
    if (!this.#isCounted) return true;
    return this.#sweeps.length === 0 && (now >= this.#nextSweepAt || this.#hasManyGuesses(now));
  }

  /** Starts the scheduled sweep. */
  counted(surplus: Surplus, now: Millis): void {
    if (!this.#isCounted) {
      this.#routineFrom = surplus.firstRoutine;
      this.#orphans = surplus.orphans;
      this.#isCounted = true;
    }
    this.#sweeps = this.#sweepsOf(surplus, now);
    const isWhole = Math.max(surplus.stale.length, surplus.guesses.length) < MOST_NAMED;
    this.#nextSweepAt = isWhole ? now + SWEEP_EVERY_MS : now;
    this.#countedAt = now;
    this.#lookAt = now + LOOK_EVERY_MS;
  }

  /** The minute of the last event up to `at`; `at` itself if there is none, as on a new server. */
  lastEventUntil(at: Millis): number {
    return integer(this.#sql.lastMinute.get(at)?.["at"] ?? 0) || at;
  }

  staleBefore(now: Millis): Millis {
    return later(now, -this.#limits.windowMs);
  }

  /** The id from which the oldest removable events start. */
  get nextId(): number {
    return this.#routineFrom;
  }

  /**
   * Removes at most `batch` events, or as many rows of one other kind. Returns false if nothing is left to do. A hundred
   * events take about a millisecond. Throws if the database cannot be written, and then removes nothing.
   */
  step(now: Millis, batch: number): boolean {
    if (!this.#isCounted) return false;
    const excess = this.#excess(now, batch);
    const [sweep] = this.#sweeps;
    if (excess === 0 && sweep === undefined) return false;
    // A rollback that failed on a full disk leaves its transaction open. It is undone later, but this object's fields would not be.
    if (this.#db.isTransaction) throw new Error("The last transaction has not been undone yet.");
    const before = { orphans: this.#orphans, routineFrom: this.#routineFrom };
    try {
      together(this.#db, () => {
        if (excess > 0) this.#aggregate(excess, now);
        else if (sweep !== undefined && sweep(batch) < batch) this.#sweeps = this.#sweeps.slice(1);
      });
      this.#events.commit();
      return true;
    } catch (error) {
      this.#events.rollback();
      this.#orphans = before.orphans;
      this.#routineFrom = before.routineFrom;
      throw error;
    }
  }

  /** Whether there are more events than the limits allow, whatever their age. */
  isPressed(): boolean {
    return this.#events.rows > this.#limits.maxRows || this.usedBytes() > this.#limits.maxBytes;
  }

  /** Bytes of the pages in use. */
  usedBytes(): number {
    const pages = integer(this.#sql.pageCount.get()?.["page_count"]);
    const free = integer(this.#sql.freePages.get()?.["freelist_count"]);
    return (pages - free) * integer(this.#sql.pageSize.get()?.["page_size"]);
  }

  /** Whether many have come since the last count. Checks once a minute: ten thousand index entries take about a millisecond. */
  #hasManyGuesses(now: Millis): boolean {
    if (now < this.#lookAt) return false;
    this.#lookAt = now + LOOK_EVERY_MS;
    return this.#sql.guessesAfter.get(this.#countedAt, MANY_GUESSES) !== undefined;
  }

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

  #aggregate(most: number, now: Millis): void {
    const sql = this.#sql;
    const routine = sql.routine.get(this.#routineFrom, most);
    const found = integer(routine?.["n"]);
    if (found === 0) return this.#remove(sql.oldest.get(most), sql.any, now);
    this.#remove(routine, sql.routineOnly, now);
    this.#routineFrom = integer(routine?.["high"]) + 1;
  }

  /** Keeps entries that count in a window while there is room, so that a flood does not empty the windows of earlier addresses. */
  #remove(range: Row | undefined, which: Removal, now: Millis): void {
    if (range === undefined || range["low"] === null) return;
    const [low, high] = [integer(range["low"]), integer(range["high"])];
    const { maxRows, maxBytes } = this.#limits;
    const room = Math.min(maxRows, (maxBytes * ORPHANS_SHARE) / ORPHAN_BYTES);
    const keepFrom = this.#orphans < room ? now - this.#limits.windowMs : Number.MAX_SAFE_INTEGER;
    this.#orphans += integer(which.countKept.get(low, high, keepFrom)?.["n"]);
    which.summarise.run(low, high);
    which.forget.run(low, high, keepFrom);
    which.forgetAccount.run(low, high, keepFrom);
    which.forgetNames.run(low, high);
    which.uncount.run(low, high);
    this.#events.add(-Number(which.remove.run(low, high).changes));
  }

  /** One kind of row per step: by age, and by number if that is limited. */
  #sweepsOf(surplus: Surplus, now: Millis): readonly Sweep[] {
    const sql = this.#sql;
    const old = (statement: StatementSync, ...before: readonly number[]): Sweep => {
      return (batch) => Number(statement.run(...before, batch).changes);
    };
    const many = (statement: StatementSync, rows: number, most: number): Sweep => {
      let left = rows - most;
      return (batch) => {
        if (left <= 0) return 0;
        const gone = Number(statement.run(Math.min(batch, left)).changes);
        left -= gone;
        return gone;
      };
    };
    const named = <R>(rows: readonly R[], drop: (row: R) => void): Sweep => {
      let left = rows;
      return (batch) => {
        const now = left.slice(0, batch);
        for (const row of now) drop(row);
        left = left.slice(batch);
        return now.length;
      };
    };
    const keptFrom = isoTime(instant(now - ENTRIES_STAY_MS));
    const { most, mostYoung } = this.#limits.audit ?? AUDIT_LIMITS;
    const dropAudit: Sweep = (batch) => Number(sql.dropAudit.run(keptFrom, most, mostYoung, batch).changes);
    return [
      old(sql.dropGuesses, now - GUESSES_FOR_MS),
      named(surplus.guesses, ({ account, network, proof, at }) => sql.dropGuess.run(account, network, proof, at)),
      old(sql.dropKnown, now - KNOWN_FOR_MS),
      old(sql.dropOldBans, now - Math.max(BANS_FOR_MS, this.#limits.offenceMs())),
      many(sql.dropManyBans, surplus.endedBans, MOST_ENDED_BANS),
      old(sql.dropSteps, now - STEPS_FOR_MS, MOST_STEPS),
      dropAudit,
      old(sql.dropOldCorrespondents, now - CORRESPONDENTS_FOR_MS),
      many(sql.dropManyCorrespondents, surplus.correspondents, MOST_CORRESPONDENTS),
      old(sql.dropOldHonest, Math.floor((now - HONEST_MAIL_FOR_MS) / DAY_MS)),
      many(sql.dropManyHonest, surplus.honestMail, MOST_HONEST_MAIL),
      old(sql.dropSummary, now - SUMMARY_FOR_MS),
      named(surplus.stale, ({ subject, counts, at, id }) => {
        sql.dropEntry.run(subject, counts, at, id);
        this.#orphans = Math.max(0, this.#orphans - 1);
      }),
    ];
  }
}

/** Removes at most this many rows and returns how many it removed. If it was fewer, none are left. */
type Sweep = (batch: number) => number;
