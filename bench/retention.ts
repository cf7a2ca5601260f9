import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../src/host/machine/clock.ts";
import { SqliteStore } from "../src/store/engine-db/store.ts";
import { openEngine } from "../src/store/open.ts";
import { eventRow } from "../test/kit/test-database.ts";
import { enterAll } from "../test/scale/fill.ts";
import { latencies, load } from "./child.ts";
import { type Bench, counted, median, ms, type Part, type Row, within } from "./result.ts";

const KEPT = 200_000;
const TOO_MANY = 1_000_000;
const ADDRESSES = 50_000;
const MOST_MS = 5;
const MOST_RUNS = 20;

/** The guard starts with a million events more than it may keep, and decides while it removes them. */
export const retention: Part = {
  name: "retention",
  says: "decisions while events are removed",
  async run(bench) {
    const { programs } = bench;
    const count = bench.quick ? TOO_MANY / 10 : TOO_MANY;
    await programs.wipe();
    fill(programs.layout.engineDb, KEPT + count);
    const guard = await programs.startGuard({ GHOSTINBOX_EVENTS__MAX_ROWS: String(KEPT) });
    try {
      return await measure(bench, count);
    } finally {
      await guard.stop();
    }
  },
};

async function measure({ programs, say }: Bench, count: number): Promise<readonly Row[]> {
  const path = programs.layout.engineDb;
  const startedAt = performance.now();
  const during: number[] = [];
  while (oldest(path) <= count) {
    if (during.length === MOST_RUNS) throw new Error("the events are still there");
    during.push(await measured());
    say(`the oldest event is ${counted(oldest(path))}`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  say(`${counted(count)} events, and those that arrived since, were deleted in ${seconds.toFixed(1)} s; afterwards:`);
  const after = [await measured(), await measured(), await measured()];
  const what = `p99.9 while ${counted(count)} events are removed`;
  return [within(what, ms(median(during)), MOST_MS), within("  and afterwards", ms(median(after)), null)];

  async function measured(): Promise<number> {
    const result = await load({ socket: programs.layout.policySocket, connections: 1, runMs: 2_000, warmUpMs: 100 });
    say(latencies(result));
    return result.p999Ms;
  }
}

function oldest(path: string): number {
  using db = new DatabaseSync(path, { readOnly: true });
  return Number(db.prepare("SELECT min(id) AS id FROM event").get()?.["id"]);
}

/** Through the guard's own store, while no guard runs. SQLite gives its files to the owner of the database. */
function fill(path: string, rows: number): void {
  const db = openEngine(path);
  const store = new SqliteStore(db);
  const at = systemClock.now();
  for (let done = 0; done < rows; done += 10_000) {
    store.begin();
    for (let i = done; i < done + 10_000; i++) {
      store.append(
        eventRow(`10.${(i * 7) % 200}.${Math.floor((i % ADDRESSES) / 250)}.${i % 250}`, at, {
          count: 1,
          limit: 20,
          windowMs: 60_000,
        }),
      );
    }
    store.commit();
  }
  // Otherwise the guard would do that first.
  enterAll(db);
  db.close();
}
