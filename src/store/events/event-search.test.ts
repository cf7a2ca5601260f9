import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { eventItem, net } from "../../../test/kit/samples.ts";
import {
  columnOf,
  engineDatabase,
  eventRow,
  PATIENT_MS,
  record,
  START,
  scalarOf,
} from "../../../test/kit/test-database.ts";
import { sqliteEventNames } from "./event-index.ts";
import { addLowerCase, lowerCaseFor, sqliteEventSearch } from "./event-search.ts";

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  return { db, store, committed, search: sqliteEventSearch(reader, PATIENT_MS) };
}

test("an event is found as it is shown, and none if none is asked for", (t) => {
  const { store, search } = fresh(t);
  record(store, eventRow("203.0.113.7", START));
  assert.deepEqual(search.find({ most: 0, order: "oldest_first" }).items, []);
  assert.deepEqual(search.find({ most: 1, order: "oldest_first" }).items, [
    {
      ...eventItem("CONNECT"),
      id: 1,
      at: "2026-11-20T06:00:00.000Z",
      service: "smtp",
      ip: "203.0.113.7",
      verdict: "pass",
      reason: "below_limit",
      details: "smtp mail.example.com",
      action: "allowed",
    },
  ]);
});

test("events of a network: its own, those within it, and those of the networks around it", (t) => {
  const { store, committed, search } = fresh(t);
  const written = [
    "203.0.113.7/32",
    "203.0.113.0/24",
    "203.0.11.7/32",
    "2001:db8::/64",
    "2001:db8:0:1::/64",
    "2001:db8:1::/64",
    "2001:db8::/32",
    "2001:0:1::/64",
  ];
  committed(() => {
    for (const network of written) store.append({ ...eventRow("203.0.113.7", START), prefix: net(network) });
    store.append({ ...eventRow("203.0.113.7", START), prefix: null });
  });
  const of = (network: string): readonly (string | undefined)[] =>
    search.find({ prefix: net(network), most: 99, order: "oldest_first" }).items.map(({ id }) => written[id - 1]);
  assert.deepEqual(of("203.0.113.7"), ["203.0.113.7/32", "203.0.113.0/24"]);
  assert.deepEqual(of("203.0.113.8"), ["203.0.113.0/24"]);
  assert.deepEqual(of("203.0.0.0/16"), ["203.0.113.7/32", "203.0.113.0/24", "203.0.11.7/32"]);
  assert.deepEqual(of("203.0.113.0/25"), ["203.0.113.7/32", "203.0.113.0/24"]);
  assert.deepEqual(of("2001:db8::5"), ["2001:db8::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001:db8::/48"), ["2001:db8::/64", "2001:db8:0:1::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001:db8:1::/48"), ["2001:db8:1::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001::/16").length, 5);
  assert.deepEqual(of("::/0").length, 5);
});

test("events of an IPv6 network are found at once, however many networks beside it left events", (t) => {
  const { db, store, committed } = fresh(t);
  const append = (network: string): void =>
    void store.append({ ...eventRow("203.0.113.7", START), prefix: net(network) });
  committed(() => {
    append("2001:db8:0:1::/64");
    append("2001:db8:0:1:2::5/128");
    for (let i = 0; i < 3_000; i++) append(`2001:db8:0:${(0x1000 + i).toString(16)}::/64`);
  });
  store.indexWaiting();
  const names = sqliteEventNames(db);
  while (names.step());
  const { items } = sqliteEventSearch(db, 0).find({ prefix: net("2001:db8:0:1::/64"), most: 5, order: "newest_first" });
  assert.equal(items.map(({ id }) => id).join(), "2,1");
});

test("passes of an address enter its index with the names, and are found before and after", (t) => {
  const { db, store, search } = fresh(t);
  const pass = { type: "RECIPIENT", counts: null } as const;
  const uncounted = { type: "LOGIN_FAILED", counts: null } as const;
  const all = [{}, pass, uncounted, { type: "EMAIL_ACCEPTED", counts: null } as const, {}, pass];
  record(store, ...all.map((changes) => eventRow("203.0.113.7", START, changes)));
  store.indexWaiting();
  const finds = (...entered: readonly number[]): void => {
    assert.deepEqual(columnOf(db, "SELECT id FROM event_subject ORDER BY id"), entered);
    const found = search.find({ prefix: net("203.0.113.7"), most: 9, order: "oldest_first" });
    assert.equal(found.items.map(({ id }) => id).join(), "1,2,3,4,5,6");
  };
  finds(1, 3, 5);
  const names = sqliteEventNames(db);
  names.step(2);
  finds(1, 2, 3, 5);
  while (names.step(2));
  finds(1, 2, 3, 4, 5, 6);
});

test("a search that stopped early holds no lock on the write-ahead log", (t) => {
  const { db, store, committed, search } = fresh(t);
  committed(() => {
    for (let i = 0; i < 500; i++) store.append(eventRow("203.0.113.7", START));
  });
  assert.equal(search.find({ prefix: net("203.0.113.0/24"), most: 1, order: "newest_first" }).items.length, 1);
  assert.equal(scalarOf(db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
});

test("letters of any language are compared, those of ASCII by what SQLite has", () => {
  using db = new DatabaseSync(":memory:");
  addLowerCase(db);
  const finds = (wanted: string, said: string): boolean =>
    scalarOf(db, `SELECT instr(${lowerCaseFor(wanted)}(?), ?) > 0`, said, wanted.toLowerCase()) === 1;
  assert.deepEqual([lowerCaseFor("Mail."), lowerCaseFor("M\u00dcLLER")], ["lower", "in_lower_case"]);
  assert.ok(finds("RELAY", "a Relay b"));
  assert.ok(finds("\u00c4RGER", "\u00e4rger"));
  assert.ok(finds("relay", "RELAY \u00c4"));
  assert.ok(!finds("x", "y"));
});
