// Invariant: No query walks all events: each list has a limit and a cursor, and a search ends after 20 ms (ADR 15).
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { accountsFor, engineFor, planOf, START } from "../../../test/kit/test-database.ts";
import { sqliteAccountLists } from "../accounts-db/account-lists.ts";
import { sqliteEventSearch } from "../events/event-search.ts";
import { sqliteFigures } from "../events/figures.ts";
import { sqliteReportEvents } from "../events/report-events.ts";
import { NEWEST_BANS } from "./ban-log.ts";
import { sqliteQueries } from "./queries.ts";
import { SqliteStore } from "./store.ts";

/** The query plans of all statements that a reader prepares, by their text. */
function plansOf(t: TestContext, db: DatabaseSync, make: (db: DatabaseSync) => unknown): ReadonlyMap<string, string> {
  const prepare = t.mock.method(db, "prepare");
  make(db);
  const texts = prepare.mock.calls.map((call) => call.arguments[0]);
  prepare.mock.restore();
  return new Map(texts.map((sql) => [sql, planOf(db, sql).join("\n")]));
}

/** Tables that grow without bound. */
const LARGE = /^SCAN (event|event_subject|event_name|ban|known_address|n)\b/m;

test("no query for people scans a large table, except by an index or between two ids", (t) => {
  const db = engineFor(t);
  const plans = plansOf(t, db, (one) => [
    sqliteEventSearch(one),
    sqliteFigures(one),
    sqliteQueries(one),
    sqliteReportEvents(one, START, START),
  ]);
  assert.ok(plans.size > 20);
  for (const [sql, plan] of plans) {
    // The newest rows of the table, up to a limit.
    const isBounded = sql.endsWith("FROM event WHERE id < ? ORDER BY id DESC LIMIT 1");
    if (!isBounded) assert.doesNotMatch(plan, LARGE, sql);
  }
});

test("the rows of a page of events come from an index, in order", (t) => {
  const plans = [...plansOf(t, engineFor(t), (db) => sqliteEventSearch(db))];
  const planned = (part: string): readonly string[] =>
    plans.filter(([sql]) => sql.includes(part)).map(([, plan]) => plan);
  const byName = "SEARCH event_name USING PRIMARY KEY (role=? AND name=? AND id>? AND id<?)";
  assert.deepEqual(planned("FROM event_name WHERE role = ? AND name = ? AND id >"), [byName, byName]);
  const bySubject =
    "SEARCH event_subject USING PRIMARY KEY (subject=? AND counts=? AND (at,id)>(?,?) AND (at,id)<(?,?))";
  for (const plan of planned("FROM event_subject\n")) assert.equal(plan, bySubject);
  for (const plan of planned("AS wanted"))
    assert.match(plan, /^SEARCH event USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/);
  for (const plan of planned("FROM event_names")) {
    const tables = plan.split("\n").filter((line) => /(SCAN|SEARCH) event\b/.test(line));
    assert.ok(tables.length > 1, plan);
    for (const line of tables) assert.match(line, /SEARCH event USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/);
  }
});

test("bans come from the index of bans in force, and accounts and aliases from their primary keys", (t) => {
  const bans = [...plansOf(t, engineFor(t), (db) => sqliteQueries(db))].find(
    ([sql]) => sql.includes("FROM ban\n") && sql.includes("id < ? AND simulated = 0 ORDER BY"),
  );
  assert.equal(bans?.[1], "SEARCH ban USING INDEX ban_standing (id<?)");
  const newest = planOf(engineFor(t), NEWEST_BANS);
  assert.deepEqual(newest, ["SEARCH ban USING INDEX ban_by_prefix (prefix=?)"], "not sorted");
  const lists = plansOf(t, accountsFor(t), sqliteAccountLists);
  for (const [sql, plan] of lists)
    if (sql.includes("$most")) assert.match(plan, /SEARCH (account|alias) USING PRIMARY KEY/);
});

test("the guesses at one account are deleted without reading any others", (t) => {
  const plans = [...plansOf(t, engineFor(t), (db) => new SqliteStore(db))];
  const deleting = plans.filter(([sql]) => sql.startsWith("DELETE FROM guess")).map(([, plan]) => plan);
  assert.deepEqual(deleting, ["SEARCH guess USING PRIMARY KEY (account=?)", ""], "all of them at once");
});

test("names are added and removed by ranges of ids", (t) => {
  const db = engineFor(t);
  const entering = planOf(db, "SELECT role, name, id FROM event_names WHERE id > ? AND id <= ?");
  const tables = entering.filter((line) => /^(SCAN|SEARCH) event\b/.test(line));
  assert.equal(tables.length, 7);
  assert.deepEqual(new Set(tables), new Set(["SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]));
  const going = planOf(
    db,
    "DELETE FROM event_name WHERE (role, name, id) IN (SELECT role, name, id FROM event_names WHERE id BETWEEN ? AND ?)",
  );
  assert.equal(going[0], "SEARCH event_name USING PRIMARY KEY (role=? AND name=? AND id=?)");
  assert.ok(!going.includes("SCAN event"), going.join("\n"));
});
