import type { BanItem } from "../../src/admin/bans.ts";
import type { Command, Verb } from "../../src/admin/declare/control.ts";
import type { EventItem, Stats } from "../../src/admin/declare/items.ts";
import type { AlertItem } from "../../src/admin/server.ts";
import { parseIp, parsePrefix } from "../../src/core/net/ip.ts";
import { instant } from "../../src/core/time.ts";
import { ALL_BANS, statsOf } from "../../src/guard/explain/stats.ts";
import type { Queries } from "../../src/guard/storage-ports.ts";
import { ask } from "../../src/host/sockets/control-client.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { sqliteQueries } from "../../src/store/engine-db/queries.ts";
import { openEngineForReading } from "../../src/store/open.ts";
import { patience } from "../kit/patience.ts";

const MOST_EVENTS = 500;
const PATIENCE_MS = patience(20_000);

/**
 * The output of `bans`, `events`, `alerts list` and `stats`, made by their own code, but without a process for each call, because
 * waiting tests ask repeatedly. Throws where the commands fail, for example without a guard.
 */
export function recordedBy(layout: Layout) {
  /** Whether `status` has something to report. */
  const guardAnswers = async (): Promise<boolean> =>
    (await ask(layout.controlSocket, { by: "root" }, { verb: "health" }, PATIENCE_MS)).ok;

  async function bans(): Promise<readonly BanItem[]> {
    await askGuard({ verb: "ping" });
    return read((queries) => queries.bans(instant(Date.now()), { limit: 10_000, cursor: null }).items);
  }

  /** The latest of this address or network, newest last. */
  async function events(of: string): Promise<readonly EventItem[]> {
    const prefix = parsePrefix(parseIp(of) ?? of);
    if (prefix === null) throw new Error(`${of} is not an address`);
    await askGuard({ verb: "ping" });
    return read((queries) => {
      const items: EventItem[] = [];
      let before: number | null = Number.MAX_SAFE_INTEGER;
      while (before !== null && items.length < MOST_EVENTS) {
        const page = queries.events({ prefix, before, most: MOST_EVENTS - items.length, order: "newest_first" });
        items.push(...page.items);
        before = page.next;
      }
      return items.toReversed();
    });
  }

  /** Newest first. */
  const alerts = async (): Promise<readonly AlertItem[]> =>
    (await askGuard<"alerts_list">({ verb: "alerts_list", limit: 100, cursor: null })).items;

  async function stats(): Promise<Stats> {
    const health = await askGuard<"health">({ verb: "health" });
    return read((queries) => statsOf(queries, health, instant(Date.now()), ALL_BANS));
  }

  async function askGuard<V extends Verb>(command: Extract<Command, { verb: V }>) {
    const answer = await ask(layout.controlSocket, { by: "root" }, command, PATIENCE_MS);
    if (!answer.ok) throw new Error(answer.message);
    return answer.result;
  }

  /** Closes the database at once, because a test may remove the disk. */
  function read<T>(by: (queries: Queries) => T): T {
    using db = openEngineForReading(layout.engineDb);
    return by(sqliteQueries(db));
  }

  return { guardAnswers, bans, events, alerts, stats };
}
