import { chmodSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { MaintenanceProcess } from "../../adapters/sqlite/maintenance/process.ts";
import { isDamage, isWhole } from "../../adapters/sqlite/open.ts";
import { copyDatabase, type Loss, OpenFiles } from "../../adapters/sqlite/recovery/open-files.ts";
import { copyOf, markDamaged } from "../../adapters/sqlite/recovery/recover.ts";
import { setAside, setAsideBeside, timeOfName } from "../../adapters/sqlite/recovery/set-aside.ts";
import { messageOf } from "../../core/error.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";

/** An open database: the connection that writes it. */
export type Watched = Readonly<{ db: DatabaseSync; path: string }>;

export type DatabaseWatchParts = Readonly<{
  engine: Watched;
  /** `reader`: a connection of its own that only reads. Copies are made from it beside the decisions. */
  accounts: Watched & Readonly<{ reader: DatabaseSync }>;
  flush: () => void;
  /** While it says why, nothing is recorded. */
  refuse: (why: string | null) => void;
  maintenance: Pick<MaintenanceProcess, "ask">;
  notices: Notices;
  clock: Clock;
  log: Log;
  /** Ends the guard, which is started again at once. */
  restart: () => void;
}>;

type Lost = Readonly<{ of: Watched; loss: Loss }>;

const LOOK_MS = SECOND_MS;
const SAVE_AGAIN_MS = MINUTE_MS;
const DIGEST_MS = { first: 5 * SECOND_MS, every: 5 * MINUTE_MS } as const;
/** A disk that damages one file after the other is not mended by restarts. */
const MOST_AN_HOUR = 3;

/** Notices a database that is damaged, removed, replaced or truncated while it is open, and saves it. */
export class DatabaseWatch {
  readonly #parts: DatabaseWatchParts;
  readonly #files: readonly Readonly<{ of: Watched; files: OpenFiles }>[];
  #timer: NodeJS.Timeout | null = null;
  #working = false;
  #isEnding = false;
  #copiedVersion: unknown = null;
  #digestAt: number;
  #saveAt = 0;

  constructor(parts: DatabaseWatchParts) {
    this.#parts = parts;
    this.#files = [parts.accounts, parts.engine].map((of) => ({ of, files: new OpenFiles(of.path) }));
    this.#digestAt = parts.clock.now() + DIGEST_MS.first;
  }

  start(): void {
    // What a guard that was killed left behind.
    for (const { of } of this.#files) rmSync(savedOf(of.path), { force: true });
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Whatever a statement threw. Damage ends the guard: its next start sets the file aside. */
  seen(error: unknown): void {
    if (this.#isEnding || !isDamage(error)) return;
    const { accounts, engine } = this.#parts;
    const hit = isWhole(accounts.db) ? engine : accounts;
    // Without a copy there is nothing to go on with.
    if (hit === accounts && !existsSync(copyOf(accounts.path))) return;
    this.#giveUp(hit, messageOf(error));
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    if (this.#working || this.#isEnding) return;
    this.#working = true;
    const { notices } = this.#parts;
    try {
      const found = this.#loss();
      if (found !== null) await this.#replace(found);
      else await this.#keep();
    } catch (error) {
      this.seen(error);
      notices.raise("accounts_uncopied", messageOf(error));
    }
    this.#working = false;
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

  async #keep(): Promise<void> {
    this.#parts.notices.clear("database_unsaved");
    this.#tellSetAside();
    this.#makeDigest();
    await this.#copyAccounts();
    this.#parts.notices.clear("accounts_uncopied");
  }

  /** The open files still hold everything, and nothing is recorded until the copy is in their place. */
  async #save({ db, path }: Watched, loss: Loss): Promise<void> {
    const { flush, refuse, clock, log, restart } = this.#parts;
    flush();
    refuse(`${path} was ${loss === "gone" ? "removed" : "replaced"} while it was open, and is being saved`);
    const saved = savedOf(path);
    try {
      rmSync(saved, { force: true });
      await copyDatabase(db, saved);
      chmodSync(saved, 0o640);
      const isMissing = statSync(path, { throwIfNoEntry: false }) === undefined;
      setAside(path, isMissing ? "missing" : "replaced", clock.now());
      renameSync(saved, path);
    } catch (error) {
      // Half a copy would fill the disk for everybody.
      rmSync(saved, { force: true });
      refuse(null);
      throw error;
    }
    this.#isEnding = true;
    log.error("A database lost its file while it was open: it was saved, and the guard starts again.", { path, loss });
    restart();
  }

  #giveUp({ path }: Watched, why: string): void {
    const { clock, log, restart } = this.#parts;
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
    notices.raise(
      "database_set_aside",
      `${aside.map((name) => basename(name)).join(", ")}: \`rm ${aside.join("* ")}*\``,
    );
  }

  /** At most seconds old: without it a damaged `accounts.db` would lock out everybody. */
  async #copyAccounts(): Promise<void> {
    const { reader, path } = this.#parts.accounts;
    const version = reader.prepare("PRAGMA data_version").get()?.["data_version"];
    const copy = copyOf(path);
    if (version === this.#copiedVersion && existsSync(copy)) return;
    if (!isWhole(reader)) return this.#giveUp(this.#parts.accounts, "its check failed");
    const fresh = `${copy}.new`;
    rmSync(fresh, { force: true });
    await copyDatabase(reader, fresh);
    chmodSync(fresh, 0o640);
    renameSync(fresh, copy);
    this.#copiedVersion = version;
  }

  #makeDigest(): void {
    const { clock, maintenance } = this.#parts;
    const now = clock.now();
    if (now < this.#digestAt) return;
    this.#digestAt = now + DIGEST_MS.every;
    // Not awaited: with many bans it takes a second, at low priority.
    void maintenance.ask({ type: "digest" });
  }
}

/** Where a copy is made, until it takes the place of the lost file. */
function savedOf(path: string): string {
  return `${path}.saved`;
}
