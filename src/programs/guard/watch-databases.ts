import { chmodSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/error.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { MaintenanceProcess } from "../../store/maintenance/process.ts";
import type { Kept } from "../../store/maintenance/work.ts";
import { isDamage, isWhole } from "../../store/open.ts";
import {
  copyOf,
  type Loss,
  OpenFiles,
  setAside,
  setAsideBeside,
  timeOfName,
} from "../../store/recovery/database-files.ts";
import { markDamaged } from "../../store/recovery/initialise.ts";

/** An open database: the connection that writes it. */
type Watched = Readonly<{ db: DatabaseSync; path: string }>;

type DatabaseWatchParts = Readonly<{
  engine: Watched;
  accounts: Watched;
  /** Differs after each change of the accounts that must be copied. */
  accountChanges: () => number;
  flush: () => void;
  /** While this has a reason, nothing is recorded. */
  refuse: (why: string | null) => void;
  maintenance: Pick<MaintenanceProcess, "ask">;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Ends the guard, which is restarted at once. */
  restart: () => void;
}>;

type Lost = Readonly<{ of: Watched; loss: Loss }>;

const LOOK_MS = SECOND_MS;
const SAVE_AGAIN_MS = MINUTE_MS;
const DIGEST_MS = {
  first: 5 * SECOND_MS,
  every: 5 * MINUTE_MS,
  afterFailure: MINUTE_MS,
} as const;
/** Restarts do not help if a disk damages one file after the other. */
const MOST_AN_HOUR = 3;

/** Detects a database that is damaged, removed, replaced or truncated while it is open, and saves it. */
export class DatabaseWatch {
  readonly #parts: DatabaseWatchParts;
  readonly #files: readonly Readonly<{ of: Watched; files: OpenFiles }>[];
  #timer: NodeJS.Timeout | null = null;
  #working = false;
  #isEnding = false;
  #copiedChanges: number | null = null;
  #isCopying = false;
  #isDigesting = false;
  #digestAt: number;
  #saveAt = 0;

  constructor(parts: DatabaseWatchParts) {
    this.#parts = parts;
    this.#files = [parts.accounts, parts.engine].map((of) => ({ of, files: new OpenFiles(of.path) }));
    this.#digestAt = parts.clock.now() + DIGEST_MS.first;
  }

  start(): void {
    // Left by a guard that was killed.
    for (const { of } of this.#files) rmSync(savedOf(of.path), { force: true });
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Any error that a statement threw. Damage ends the guard: its next start sets the file aside. */
  noteError(error: unknown): void {
    if (this.#isEnding || !isDamage(error)) return;
    const { accounts, engine } = this.#parts;
    this.#giveUp(isWhole(accounts.db) ? engine : accounts, messageOf(error));
  }

  /** Runs one check. Never rejects. */
  async look(): Promise<void> {
    if (this.#working || this.#isEnding) return;
    this.#working = true;
    try {
      const found = this.#loss();
      if (found !== null) await this.#replace(found);
      else this.#keep();
    } catch (error) {
      this.#failed(error);
    }
    this.#working = false;
  }

  #failed(error: unknown): void {
    this.noteError(error);
    this.#parts.notices.raise("accounts_uncopied", messageOf(error));
  }

  #loss(): Lost | null {
    for (const { of, files } of this.#files) {
      const loss = files.look();
      if (loss !== null) return { of, loss };
    }
    return null;
  }

  async #replace({ of, loss }: Lost): Promise<void> {
    if (loss === "truncated") return this.#giveUp(of, "it was truncated");
    const now = this.#parts.clock.now();
    if (now < this.#saveAt) return;
    this.#saveAt = now + SAVE_AGAIN_MS;
    try {
      await this.#save(of, loss);
    } catch (error) {
      this.#parts.notices.raise("database_unsaved", messageOf(error));
    }
  }

  /** The writes of the maintenance process are not awaited: it may be busy, and the disk slow. */
  #keep(): void {
    this.#parts.notices.clear("database_unsaved");
    this.#tellSetAside();
    const failed = (error: unknown): void => this.#failed(error);
    if (!this.#isDigesting) this.#makeDigest().catch(failed);
    if (!this.#isCopying) this.#copyAccounts().catch(failed);
  }

  /** The open files still hold everything, and nothing is recorded until the copy has replaced them. */
  async #save({ db, path }: Watched, loss: Loss): Promise<void> {
    const { flush, refuse, clock, log, restart } = this.#parts;
    flush();
    refuse(`${path} was ${loss === "gone" ? "removed" : "replaced"} while it was open, and is being saved`);
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
      refuse(null);
      throw error;
    }
    this.#isEnding = true;
    log.error("A database lost its file while it was open: it was saved, and the guard starts again.", { path, loss });
    restart();
  }

  #giveUp({ path }: Watched, why: string): void {
    const { accounts, clock, log, restart } = this.#parts;
    // Without a copy nothing can continue.
    if (this.#isEnding || (path === accounts.path && !existsSync(copyOf(path)))) return;
    const now = clock.now();
    if (setAsideBeside(path).filter((name) => now - timeOfName(name) < HOUR_MS).length >= MOST_AN_HOUR) return;
    this.#isEnding = true;
    markDamaged(path);
    log.error("A database is damaged: the guard starts again, and sets it aside.", { path, why });
    restart();
  }

  #tellSetAside(): void {
    const { notices } = this.#parts;
    const aside = this.#files.flatMap(({ of }) => setAsideBeside(of.path));
    if (aside.length === 0) return notices.clear("database_set_aside");
    const names = aside.map((file) => basename(file));
    notices.raise("database_set_aside", `${names.join(", ")}: \`rm ${aside.join("* ")}*\``, names);
  }

  /** At most seconds old. */
  async #copyAccounts(): Promise<void> {
    const { accounts, accountChanges, maintenance, notices } = this.#parts;
    const changes = accountChanges();
    if (changes === this.#copiedChanges && existsSync(copyOf(accounts.path))) return notices.clear("accounts_uncopied");
    this.#isCopying = true;
    const kept = await maintenance.ask({ type: "copy_accounts", path: accounts.path });
    this.#isCopying = false;
    if (kept?.ok === true) this.#copiedChanges = changes;
    this.#report(accounts, "accounts_uncopied", kept);
  }

  /** Every few minutes. */
  async #makeDigest(): Promise<void> {
    const { engine, clock, maintenance } = this.#parts;
    const now = clock.now();
    if (now < this.#digestAt) return;
    this.#isDigesting = true;
    // With 100,000 bans it takes a fifth of a second, at low priority.
    const kept = await maintenance.ask({ type: "digest" });
    this.#isDigesting = false;
    this.#digestAt = now + (kept?.ok === true ? DIGEST_MS.every : DIGEST_MS.afterFailure);
    this.#report(engine, "engine_undigested", kept);
  }

  /** Damage ends the guard. Null: the maintenance process does not run, which is reported anyway. */
  #report(of: Watched, code: "accounts_uncopied" | "engine_undigested", kept: Kept | null): void {
    if (kept === null) return;
    if (kept.ok) return this.#parts.notices.clear(code);
    if (kept.isDamage) this.#giveUp(of, kept.why);
    this.#parts.notices.raise(code, kept.why);
  }
}

/** Where a copy is made, until it replaces the lost file. */
function savedOf(path: string): string {
  return `${path}.saved`;
}
