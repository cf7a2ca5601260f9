import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { createDatabaseWatch } from "../../src/programs/guard/watch-databases.ts";
import { NotedUses } from "../../src/store/accounts-db/credentials.ts";
import { carryOut, maintenanceWork, type Order, type Result } from "../../src/store/maintenance/work.ts";
import { openAccounts, openEngine } from "../../src/store/open.ts";
import { HandClock, NoticeBoard } from "./engine-kit.ts";
import { patience } from "./patience.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Both databases on a disk, under the guard's watch. */
export function watchedDatabases() {
  const directory = temporaryDirectory();
  const [engineDb, accountsDb] = [join(directory, "engine.db"), join(directory, "accounts.db")];
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const engine = openEngine(engineDb);
  const accounts = openAccounts(accountsDb);
  const calls = { restarts: 0, digests: 0, copies: 0, refused: null as string | null };
  const quiet = (): void => undefined;
  const work = maintenanceWork(engineDb);
  async function ask<O extends Order>(order: O): Promise<Result<O> | null> {
    const answer = await carryOut(JSON.stringify(order), work);
    if (order.type === "digest") calls.digests += 1;
    if (order.type === "copy_accounts") calls.copies += 1;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the process's answers are read
    return JSON.parse(answer) as Result<O>;
  }
  const uses = new NotedUses();
  const watch = createDatabaseWatch({
    engine: { db: engine, path: engineDb },
    accounts: { db: accounts, path: accountsDb },
    accountChanges: () => uses.changes(accounts),
    commit: quiet,
    refuseWrites: (why) => (calls.refused = why),
    maintenance: { ask },
    notices,
    clock,
    log: { info: quiet, warn: quiet, error: quiet },
    restart: () => (calls.restarts += 1),
  });
  const addAccount = (name: string): void => {
    accounts
      .prepare("INSERT INTO account (name, password, suspended, created_at) VALUES (?, '{PLAIN}x', 0, 1)")
      .run(name);
  };
  return { engineDb, accountsDb, engine, accounts, uses, clock, notices, watch, calls, addAccount };
}

/** Repeats the check until this holds, because a check does not wait for the maintenance process. */
export async function lookUntil(
  t: TestContext,
  watch: Pick<ReturnType<typeof createDatabaseWatch>, "look">,
  holds: () => void,
): Promise<void> {
  await t.waitFor(
    async () => {
      await watch.look();
      holds();
    },
    { timeout: patience(10_000), interval: 5 },
  );
}

/** Overwrites the first page of a table, as a bad disk would. */
export function damage(db: DatabaseSync, path: string, table: string): void {
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const found = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table);
  const bytes = readFileSync(path);
  bytes.fill(0x5a, (Number(found?.["rootpage"]) - 1) * 4_096, Number(found?.["rootpage"]) * 4_096);
  writeFileSync(path, bytes, { flag: "r+" });
}
