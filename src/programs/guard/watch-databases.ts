import { chmodSync, renameSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { failureOf, messageOf } from "../../core/error.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { MaintenanceProcess } from "../../store/maintenance/process.ts";
import type { WriteOutcome } from "../../store/maintenance/work.ts";
import { isDamage, isWhole } from "../../store/open.ts";
import {
  copyPath,
  type Loss,
  OpenFiles,
  setAside,
  setAsideBeside,
  timeOfName,
} from "../../store/recovery/database-files.ts";
import { isEmpty, markDamaged } from "../../store/recovery/initialise.ts";

/** An open database: the connection that writes it. */
type Watched = Readonly<{ db: DatabaseSync; path: string }>;

type DatabaseWatchParts = Readonly<{
  engine: Watched;
  accounts: Watched;
  /** Differs after each change of the accounts that must be copied. */
  accountChanges: () => number;
  commit: () => void;
  /** While this has a reason, nothing is recorded. */
  refuseWrites: (why: string | null) => void;
  maintenance: Pick<MaintenanceProcess, "ask">;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Ends the guard, which is restarted at once. */
  restart: () => void;
}>;

type Lost = Readonly<{ of: Watched; loss: Loss }>;

const DIGEST_MS = { first: 5 * SECOND_MS, every: 5 * MINUTE_MS, afterFailure: MINUTE_MS } as const;
/** Restarts do not help if a disk damages one file after the other. */
const MOST_AN_HOUR = 3;

/** Detects a database that is damaged, removed, replaced or truncated while it is open, and saves it. */
export function createDatabaseWatch(parts: DatabaseWatchParts) {
  const { engine, accounts, accountChanges, commit, refuseWrites, maintenance, notices, clock, log, restart } = parts;
  const watched = [accounts, engine].map((of) => ({ of, files: new OpenFiles(of.path) }));
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;
  /** Damage that could not be marked on the disk. */
  let unmarked: Readonly<{ of: Watched; why: string }> | null = null;
  /** Damage of one of the two, while `accounts.db` cannot be checked: either may be the damaged one. */
  let unsure: unknown = null;
  let copiedChanges: number | null = null;
  let digestAt = clock.now() + DIGEST_MS.first;
  let saveAt = 0;

  function start(): void {
    // Left by a guard that was killed.
    for (const { of } of watched) rmSync(savedOf(of.path), { force: true });
    timer = setInterval(() => void look(), SECOND_MS);
  }

  /** Any error that a statement threw. Damage ends the guard: its next start sets the file aside. Never throws. */
  function noteError(error: unknown): void {
    if (isEnding || unmarked !== null || !isDamage(error)) return;
    unsure = null;
    try {
      giveUp(isWhole(accounts.db) ? engine : accounts, messageOf(error));
    } catch (unchecked) {
      unsure = error;
      notices.set("database_unsaved", `${messageOf(error)}; accounts.db cannot be checked: ${messageOf(unchecked)}`);
    }
  }

  /** Runs one check. Never rejects. */
  const look = unlessRunning(async () => {
    if (isEnding) return;
    if (unmarked !== null) return giveUp(unmarked.of, unmarked.why);
    if (unsure !== null) return noteError(unsure);
    try {
      const found = lossNow();
      if (found !== null) await replace(found);
      else keep();
    } catch (error) {
      failed(error);
    }
  });

  function failed(error: unknown): void {
    noteError(error);
    notices.set("accounts_uncopied", messageOf(error));
  }

  function lossNow(): Lost | null {
    for (const { of, files } of watched) {
      const loss = files.look();
      if (loss !== null) return { of, loss };
    }
    return null;
  }

  async function replace({ of, loss }: Lost): Promise<void> {
    if (loss === "truncated") return giveUp(of, "it was truncated");
    const now = clock.now();
    if (now < saveAt) return;
    saveAt = now + MINUTE_MS;
    try {
      await save(of, loss);
    } catch (error) {
      notices.set("database_unsaved", messageOf(error));
    }
  }

  /** The writes of the maintenance process are not awaited: it may be busy, and the disk slow. */
  function keep(): void {
    notices.set("database_unsaved", null);
    reportSetAside();
    makeDigest().catch(failed);
    copyAccounts().catch(failed);
  }

  /** Saves a database from its open file, which still holds everything. Nothing is recorded until the copy has replaced the file. */
  async function save({ db, path }: Watched, loss: Loss): Promise<void> {
    commit();
    refuseWrites(`${path} was ${loss === "gone" ? "removed" : "replaced"} while it was open, and is being saved`);
    const saved = savedOf(path);
    try {
      rmSync(saved, { force: true });
      await backup(db, saved);
      chmodSync(saved, 0o640);
      const isMissing = statSync(path, { throwIfNoEntry: false }) === undefined;
      setAside(path, isMissing ? "missing" : "replaced", clock.now());
      renameSync(saved, path);
    } catch (error) {
      // Half a copy would fill the disk for everyone.
      rmSync(saved, { force: true });
      refuseWrites(null);
      throw error;
    }
    isEnding = true;
    log.error("A database lost its file while it was open: it was saved, and the guard restarts.", { path, loss });
    restart();
  }

  /** Never throws. */
  function giveUp(of: Watched, why: string): void {
    const { path } = of;
    unmarked = null;
    // Without a copy of accounts.db the server could not continue.
    if (isEnding || (path === accounts.path && isEmpty(copyPath(path)))) return;
    const now = clock.now();
    if (setAsideBeside(path).filter((name) => now - timeOfName(name) < HOUR_MS).length >= MOST_AN_HOUR) return;
    const failure = failureOf(() => markDamaged(path));
    if (failure !== null) {
      unmarked = { of, why };
      return notices.set("database_unsaved", `${basename(path)} is damaged (${why}): ${failure}`);
    }
    isEnding = true;
    log.error("A database is damaged: the guard restarts, and sets it aside.", { path, why });
    restart();
  }

  function reportSetAside(): void {
    const aside = watched.flatMap(({ of }) => setAsideBeside(of.path));
    if (aside.length === 0) return notices.set("database_set_aside", null);
    const names = aside.map((file) => basename(file));
    notices.set("database_set_aside", `${names.join(", ")}: \`rm ${aside.join("* ")}*\``, names);
  }

  /** Keeps the copy at most seconds old. */
  const copyAccounts = unlessRunning(async () => {
    const changes = accountChanges();
    if (changes === copiedChanges && !isEmpty(copyPath(accounts.path))) return notices.set("accounts_uncopied", null);
    const outcome = await maintenance.ask({ type: "copy_accounts", path: accounts.path });
    if (outcome?.ok === true) copiedChanges = changes;
    report(accounts, "accounts_uncopied", outcome);
  });

  /** Runs every few minutes. */
  const makeDigest = unlessRunning(async () => {
    const now = clock.now();
    if (now < digestAt) return;
    // With 100,000 bans it takes a fifth of a second, at low priority.
    const outcome = await maintenance.ask({ type: "digest" });
    digestAt = now + (outcome?.ok === true ? DIGEST_MS.every : DIGEST_MS.afterFailure);
    report(engine, "engine_undigested", outcome);
  });

  /** Damage ends the guard. Null: the maintenance process does not run, which is reported anyway. */
  function report(of: Watched, code: "accounts_uncopied" | "engine_undigested", outcome: WriteOutcome | null): void {
    if (outcome === null) return;
    if (!outcome.ok && outcome.isDamage) giveUp(of, outcome.why);
    notices.set(code, outcome.ok ? null : outcome.why);
  }

  return { start, stop: () => clearInterval(timer), noteError, look };
}

/** Where a copy is made, until it replaces the lost file. */
function savedOf(path: string): string {
  return `${path}.saved`;
}
