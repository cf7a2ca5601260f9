import assert from "node:assert/strict";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { net, scratch } from "../../../../test/kit/test-database.ts";
import type { EventFilter } from "../../../engine/ports.ts";
import { openEngine } from "../open.ts";
import { queriesOf } from "./event-search.ts";

function fresh(t: TestContext): DatabaseSync {
  const db = openEngine(join(scratch(t), "engine.db"));
  t.after(() => db.close());
  return db;
}

function planOf(db: DatabaseSync, sql: string): readonly string[] {
  return db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...Array.from({ length: sql.split("?").length - 1 }, () => 1))
    .map((row) => String(row["detail"]));
}

const plansOf = (db: DatabaseSync, filter: Partial<EventFilter>): readonly (readonly string[])[] =>
  queriesOf({ most: 50, order: "newest_first", ...filter }).map(({ sql }) => planOf(db, sql));

const CURSORS: readonly Partial<EventFilter>[] = [{}, { before: 9 }, { after: 9 }, { after: 9, order: "oldest_first" }];

test("a search by name walks the index of that name in order, and reads no other event", (t) => {
  const db = fresh(t);
  for (const cursor of CURSORS)
    for (const more of [{}, { type: "BAN" }]) {
      const range = cursor.before === undefined ? (cursor.after === undefined ? "" : " AND id>?") : " AND id<?";
      const byName = [
        `SEARCH n USING PRIMARY KEY (role=? AND name=?${range})`,
        "SEARCH event USING INTEGER PRIMARY KEY (rowid=?)",
      ];
      const [entered] = plansOf(db, { account: "anna@example.test", ...cursor, ...more });
      assert.deepEqual(entered, byName);
      const [queueId, , messageId] = plansOf(db, { mail: "72CED1EABE5", ...cursor, ...more });
      assert.deepEqual([queueId, messageId], [byName, byName]);
    }
});

test("of what has not entered yet, each column that a name may stand in is looked at once, from the last entered on", (t) => {
  const db = fresh(t);
  const filters = [{ account: "anna@example.test" }, { mail: "72CED1EABE5" }];
  for (const waiting of filters.flatMap((filter) => plansOf(db, filter).filter((_, i) => i % 2 === 1))) {
    const tables = waiting.filter((line) => /^(SCAN|SEARCH) event( |$)/.test(line));
    assert.ok(tables.length > 1, waiting.join("\n"));
    assert.deepEqual(
      new Set(tables),
      new Set(["SEARCH event USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH event USING INTEGER PRIMARY KEY (rowid>?)"]),
      waiting.join("\n"),
    );
  }
});

test("without a name, events are walked by id, up to the limit", (t) => {
  const db = fresh(t);
  assert.deepEqual(plansOf(db, {}), [["SCAN event"]]);
  assert.deepEqual(plansOf(db, { type: "BAN", before: 9 }), [["SEARCH event USING INTEGER PRIMARY KEY (rowid<?)"]]);
  const [ofAddress] = plansOf(db, { prefix: net("203.0.113.7") });
  assert.ok(ofAddress?.some((line) => line.startsWith("SEARCH event_subject USING PRIMARY KEY (subject=?")));
  const [ofNetwork] = plansOf(db, { prefix: net("203.0.113.0/24") });
  assert.equal(ofNetwork?.[0], "SCAN event");
});

test("names enter and go by ranges of ids", (t) => {
  const db = fresh(t);
  const entering = planOf(db, "SELECT role, name, id FROM event_names WHERE id > ? AND id <= ?");
  const tables = entering.filter((line) => /^(SCAN|SEARCH) event\b/.test(line));
  assert.equal(tables.length, 5);
  assert.deepEqual(new Set(tables), new Set(["SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]));
  const going = planOf(
    db,
    "DELETE FROM event_name WHERE (role, name, id) IN (SELECT role, name, id FROM event_names WHERE id BETWEEN ? AND ?)",
  );
  assert.equal(going[0], "SEARCH event_name USING PRIMARY KEY (role=? AND name=? AND id=?)");
  assert.ok(!going.includes("SCAN event"), going.join("\n"));
});
