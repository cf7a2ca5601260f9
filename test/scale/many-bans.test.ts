import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BANS_ANSWERED } from "../../src/admin/declare/items.ts";
import { networkAddress } from "../../src/core/net/ip.ts";
import { HOUR_MS, later, SECOND_MS } from "../../src/core/time.ts";
import { ALL_BANS, statsOf, statsText } from "../../src/guard/explain/stats.ts";
import { sqliteBanLog } from "../../src/store/engine-db/ban-log.ts";
import { sqliteQueries } from "../../src/store/engine-db/queries.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { openEngine, openEngineForReading } from "../../src/store/open.ts";
import { printJson } from "../../src/surfaces/cli/print/text.ts";
import { patience } from "../kit/patience.ts";
import { costOf } from "../kit/processor-time.ts";
import { BAN, NOON, WELL } from "../kit/samples.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { bannedNetwork } from "./fill.ts";

const BANS = 100_000;
/** Milliseconds of processor time: the product's own limits for what must answer at once, and over twice the usual cost of single tasks. */
const MOST = { add: 6_000, list: 15, count: 15, search: 15, restore: 500, answer: 400, print: 6_000 } as const;
/** Limits waits that processor time doesn't show, such as for a lock or the disk. */
const LONGEST_MS = 60_000;

test("100,000 bans: added in seconds, listed, counted and searched at once, read again after a restart, ended on time", (t) => {
  const path = join(temporaryDirectory(), "engine.db");
  const within = <T>(what: keyof typeof MOST, work: () => T): T => {
    const from = performance.now();
    const { result, costMs } = costOf(work);
    assert.ok(performance.now() - from < patience(LONGEST_MS), what);
    t.diagnostic(`${what}: ${costMs.toFixed(0)} ms`);
    assert.ok(costMs < patience(MOST[what]), `${what}: ${costMs} ms`);
    return result;
  };

  const first = openEngine(path);
  const store = new SqliteStore(first);
  within("add", () => {
    store.begin();
    for (let i = 0; i < BANS; i++) {
      const prefix = bannedNetwork(i);
      const ban = { ...BAN, prefix, ip: networkAddress(prefix), expiresAt: later(NOON, HOUR_MS + i) };
      store.apply({ type: "BAN", ban }, NOON);
    }
    store.commit();
  });
  first.close();

  const reader = openEngineForReading(path);
  const queries = sqliteQueries(reader);
  const page = within("list", () => queries.bans(NOON, { limit: 500, cursor: null }));
  assert.equal(page.items.length, 500);
  assert.equal(queries.bans(NOON, { limit: 500, cursor: page.next }).items[0]?.prefix, bannedNetwork(BANS - 501));
  assert.equal(within("count", () => queries.figures.banCounts(NOON)).engine, BANS);
  const sought = bannedNetwork(77_777);
  assert.equal(
    within("search", () => queries.address(sought, NOON, { memoryMs: HOUR_MS, ipv6Prefix: 64 })).ban?.prefix,
    sought,
  );
  const answer = within("answer", () => statsText(queries, WELL, NOON));
  assert.ok(answer.includes(bannedNetwork(BANS - BANS_ANSWERED)));
  assert.ok(!answer.includes(`"${bannedNetwork(BANS - BANS_ANSWERED - 1)}"`));
  assert.match(answer, /"next":"\d+"/);
  const printed = within("print", () => printJson(statsOf(queries, WELL, NOON, ALL_BANS)));
  const [shown = ""] = printed.split("\n").filter((line) => line.includes(sought));
  assert.match(shown, /"reason": "./, "what grep shows of it");
  reader.close();

  const db = openEngine(path);
  t.after(() => db.close());
  const log = sqliteBanLog(db);
  assert.equal(within("restore", () => [...log.active(NOON)]).length, BANS);
  assert.deepEqual(log.expired(later(NOON, HOUR_MS - 1), 10), []);
  assert.equal(log.expired(later(NOON, HOUR_MS + SECOND_MS), 5_000).length, SECOND_MS + 1, "each in its millisecond");
  assert.equal([...log.active(later(NOON, HOUR_MS + BANS))].length, 0);
});
