import assert from "node:assert/strict";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { test } from "node:test";
import { accountName, net } from "../../../test/kit/samples.ts";
import { engineDatabase, eventRow, PATIENT_MS, START } from "../../../test/kit/test-database.ts";
import type { EventFilter } from "../../guard/storage-ports.ts";
import { sqliteEventNames } from "./event-index.ts";
import { sqliteEventSearch } from "./event-search.ts";

/** Later pages continue from the results of the first. */
const MOST_READS = 12;

const FILTERS: readonly ((n: number) => Partial<EventFilter>)[] = [
  (n) => ({ prefix: net(addressOf(n)), types: ["EMAIL"], from: START }),
  (n) => ({ prefix: net(`${addressOf(n & ~1)}/31`) }),
  (n) => ({ prefix: net(addressOf(n)), account: accountOf(n) }),
  (n) => ({ account: accountOf(n), types: ["EMAIL"] }),
  (n) => ({ mail: `${n}@example.org` }),
  (n) => ({ types: ["EMAIL", "BAN"], text: accountOf(n), from: START }),
];

for (const order of ["oldest_first", "newest_first"] as const)
  test(`a search finds an event that is indexed between any two of its first reads, ${order}`, (t) => {
    const { db, store, reader, committed } = engineDatabase(t);
    const names = sqliteEventNames(db);
    const enter = (): void => {
      store.indexWaiting();
      while (names.step());
    };
    let [n, reads, entersAt] = [0, 0, 0];
    beforeEachRead(reader, () => {
      if (reads++ === entersAt) enter();
    });
    const search = sqliteEventSearch(reader, PATIENT_MS);
    for (const filterOf of FILTERS)
      for (entersAt = 0, reads = 1; entersAt < Math.min(reads, MOST_READS); entersAt++) {
        const event = eventRow(addressOf(++n), START, { type: "EMAIL", messageId: `<${n}@example.org>` });
        committed(() => store.append({ ...event, account: accountName(accountOf(n)) }));
        reads = 0;
        const filter: EventFilter = { most: 9, order, ...filterOf(n) };
        const found = search.find(filter).items.map(({ ip }) => ip);
        assert.ok(found.includes(addressOf(n)), `${JSON.stringify(filter)}: missed before read ${entersAt}`);
        enter();
      }
    assert.ok(n > 3 * FILTERS.length, `${n} cases`);
  });

function addressOf(n: number): string {
  return `203.0.${n >> 8}.${n & 255}`;
}

function accountOf(n: number): string {
  return `u${n}@example.test`;
}

/** Collects the statements prepared from now on. */
function beforeEachRead(db: DatabaseSync, work: () => void): void {
  const prepare = db.prepare.bind(db);
  db.prepare = (sql) => {
    const statement = prepare(sql);
    const [get, all] = [statement.get.bind(statement), statement.all.bind(statement)];
    return Object.assign(statement, {
      get: (...values: SQLInputValue[]) => {
        work();
        return get(...values);
      },
      all: (...values: SQLInputValue[]) => {
        work();
        return all(...values);
      },
    });
  };
}
