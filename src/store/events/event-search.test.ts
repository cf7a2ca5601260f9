import assert from "node:assert/strict";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { eventItem, net } from "../../../test/kit/samples.ts";
import {
  columnOf,
  engineDatabase,
  engineFor,
  eventRow,
  eventRows,
  PATIENT_MS,
  record,
  START,
  scalarOf,
  seeded,
} from "../../../test/kit/test-database.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { overlaps } from "../../core/net/ip.ts";
import { HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import type { EventFilter } from "../../guard/storage-ports.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { sqliteEventNames } from "./event-index.ts";
import { addLowerCase, lowerCaseFor, sqliteEventSearch } from "./event-search.ts";

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  return { db, store, committed, search: sqliteEventSearch(reader, PATIENT_MS) };
}

test("an event is found as shown, and none is found if none is requested", (t) => {
  const { store, search } = fresh(t);
  record(store, eventRow("203.0.113.7", START));
  assert.deepEqual(search.find({ most: 0, order: "oldest_first" }).items, []);
  const passed = { service: "smtp", ip: "203.0.113.7", verdict: "pass", reason: "below_limit", action: "allowed" };
  const shown = { ...passed, id: 1, at: "2026-11-20T06:00:00.000Z", details: "smtp mail.example.com" };
  const { items } = search.find({ most: 1, order: "oldest_first" });
  assert.deepEqual(items, [{ ...eventItem("CONNECT"), ...shown }]);
});

test("an account is found with its domain as typed and as in the DNS, by type too", (t) => {
  const { store, search } = fresh(t);
  const names = ["anna@bücher.test", "anna@xn--bcher-kva.test", "bert@xn--bcher-kva.test"];
  record(store, ...names.map((account) => ({ ...eventRow("203.0.113.7", START), account })));
  for (const types of [[], ["CONNECT"]]) {
    const { items } = search.find({ account: "Anna@Bücher.test", types, most: 9, order: "oldest_first" });
    assert.deepEqual(
      items.map(({ id }) => id),
      [1, 2],
    );
  }
});

test("events of an IPv6 network: its own, those within it, and those of the networks around it", (t) => {
  const { store, committed, search } = fresh(t);
  const sites = ["2001:db8::/64", "2001:db8:0:1::/64", "2001:db8:1::/64", "2001:0:1::/64"];
  const written = ["203.0.113.7/32", ...sites, "2001:db8::/32"];
  committed(() => {
    for (const network of written) store.append({ ...eventRow("203.0.113.7", START), prefix: net(network) });
    store.append({ ...eventRow("203.0.113.7", START), prefix: null });
  });
  const of = (network: string): readonly (string | undefined)[] =>
    search.find({ prefix: net(network), most: 99, order: "oldest_first" }).items.map(({ id }) => written[id - 1]);
  assert.deepEqual(of("0.0.0.0/0"), ["203.0.113.7/32"]);
  assert.deepEqual(of("2001:db8::5"), ["2001:db8::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001:db8::/48"), ["2001:db8::/64", "2001:db8:0:1::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001:db8:1::/48"), ["2001:db8:1::/64", "2001:db8::/32"]);
  assert.deepEqual(of("2001::/16").length, 5);
  assert.deepEqual(of("::/0").length, 5);
});

test("events of an IPv6 network are found at once, however many of its neighbours have events", (t) => {
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

test("passes of an address are indexed with the names, and found before and after", (t) => {
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
  const { db, store, search } = fresh(t);
  record(store, ...eventRows(500, "203.0.113.7", START));
  assert.equal(search.find({ prefix: net("203.0.113.0/24"), most: 1, order: "newest_first" }).items.length, 1);
  assert.equal(scalarOf(db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
});

test("letters of any language are compared, those of ASCII by SQLite's own function", () => {
  using db = new DatabaseSync(":memory:");
  addLowerCase(db);
  const finds = (wanted: string, name: string): boolean =>
    scalarOf(db, `SELECT instr(${lowerCaseFor(wanted)}(?), ?) > 0`, name, wanted.toLowerCase()) === 1;
  assert.deepEqual([lowerCaseFor("Mail."), lowerCaseFor("M\u00dcLLER")], ["lower", "in_lower_case"]);
  assert.ok(finds("RELAY", "a Relay b"));
  assert.ok(finds("\u00c4RGER", "\u00e4rger"));
  assert.ok(finds("relay", "RELAY \u00c4"));
  assert.ok(!finds("x", "y"));
});

const TYPES = ["CONNECT", "EMAIL", "LOGIN_FAILED", "BAN"] as const;
/** The window in which each event counts. */
const COUNTS = { CONNECT: "connection", EMAIL: "mail", LOGIN_FAILED: "login", BAN: null } as const;

/** Events of some addresses and networks. The last ones are too few to be in any index yet. */
function filled(t: TestContext, count: number, addresses: number, at = (i: number): number => i >> 2) {
  const db = engineFor(t);
  const store = new SqliteStore(db);
  const random = seeded(11);
  const events = Array.from({ length: count }, (_, i) => {
    const address = Math.floor(random() * addresses);
    const type = TYPES[Math.floor(random() ** 2 * TYPES.length)] ?? "CONNECT";
    const account = random() < 0.3 ? `u${Math.floor(random() * 3)}@example.test` : null;
    const ip = `203.0.${address >> 8}.${address & 255}`;
    const prefix = net(random() < 0.02 ? "203.0.0.0/24" : ip);
    return { ...eventRow(ip, later(START, at(i)), { type, counts: COUNTS[type] }), account, prefix };
  });
  const settled = count - 31;
  record(store, ...events.slice(0, settled));
  store.indexWaiting();
  const names = sqliteEventNames(db);
  while (names.step());
  record(store, ...events.slice(settled));
  return { db, events };
}

const FILTERS: readonly Omit<EventFilter, "most" | "order">[] = [
  {},
  { types: [] },
  { types: ["CONNECT"] },
  { types: ["BAN"] },
  { types: ["TOKEN_CREATED"] },
  { account: "U1@example.test" },
  { account: "u1@example.test", types: ["BAN"] },
  { account: "u1@example.test", prefix: net("203.0.0.0/28") },
  { prefix: net("203.0.0.7") },
  { prefix: net("203.0.0.7"), types: ["EMAIL"] },
  { prefix: net("203.0.0.0/28") },
  { prefix: net("203.0.0.0/28"), types: ["CONNECT"] },
  { prefix: net("203.0.0.0/23") },
  { prefix: net("203.0.0.0/16"), types: ["LOGIN_FAILED"] },
  { prefix: net("198.51.100.0/24") },
  { prefix: net("0.0.0.0/0"), after: 100, before: 700 },
  { types: ["BAN", "EMAIL"] },
  { types: ["BAN", "TOKEN_CREATED"], account: "u1@example.test" },
  { types: ["BAN", "EMAIL"], prefix: net("203.0.0.0/28") },
  { from: later(START, 100), to: later(START, 200) },
  { from: later(START, 10 * MINUTE_MS), to: later(START, HOUR_MS), prefix: net("203.0.0.0/28") },
  { to: later(START, HOUR_MS), types: ["EMAIL"], before: 900 },
  { from: later(START, HOUR_MS), account: "u1@example.test" },
  { text: "203.0.0.1" },
  { text: "U2@EXAMPLE", types: ["CONNECT"], to: later(START, HOUR_MS) },
  { text: "nowhere" },
];

/** Two minutes an event, and an hour back after each 500. */
function setBack(i: number): number {
  return i * 2 * MINUTE_MS - HOUR_MS * Math.floor(i / 500);
}

for (const [name, count, addresses, longestMs, at] of [
  ["few addresses", 1_500, 40, 1_000, undefined],
  ["more addresses than are looked up one by one", 1_500, 700, 1_000, undefined],
  ["a search that stops after each step", 1_500, 700, 0, undefined],
  ["a clock that was set back by an hour, twice", 1_500, 40, 1_000, setBack],
  ["a clock that was set back, a search that stops after each step", 1_500, 40, 0, setBack],
  ["a clock that is set back after each twenty", 500, 40, 1_000, (i: number) => (i % 20) * MINUTE_MS],
] as const)
  test(`all pages together have the events that a scan of all events finds: ${name}`, (t) => {
    const { db, events } = filled(t, count, addresses, at);
    const search = sqliteEventSearch(db, longestMs);
    for (const filter of FILTERS) {
      const wanted = events.flatMap(({ at: time, type, account, ip, prefix }, i) => {
        const id = i + 1;
        if (id <= (filter.after ?? 0) || id >= (filter.before ?? Number.MAX_SAFE_INTEGER)) return [];
        if (filter.types !== undefined && filter.types.length > 0 && !filter.types.includes(type)) return [];
        if (time < (filter.from ?? 0) || time > (filter.to ?? Number.MAX_SAFE_INTEGER)) return [];
        if (!`${ip} ${account}`.includes(filter.text?.toLowerCase() ?? "")) return [];
        if (filter.account !== undefined && account !== filter.account.toLowerCase()) return [];
        return filter.prefix !== undefined && !overlaps(prefix, filter.prefix) ? [] : [id];
      });
      // Without time a page ends after a step, whatever it may hold.
      for (const most of longestMs === 0 ? [67] : [67, 500]) {
        const asked = JSON.stringify(filter);
        assert.deepEqual(pages(search, { ...filter, most, order: "oldest_first" }), wanted, asked);
        assert.deepEqual(pages(search, { ...filter, most, order: "newest_first" }), wanted.toReversed(), asked);
      }
    }
  });

test("a search that finds nothing in its time has a cursor to continue", (t) => {
  const { db } = filled(t, 3_000, 700, (i) => i);
  const asked = { prefix: net("198.51.0.0/16"), types: ["CONNECT"], most: 5, order: "newest_first" } as const;
  const first = sqliteEventSearch(db, 0).find(asked);
  assert.deepEqual(first.items, []);
  assert.ok(first.next !== null && first.next > 0 && first.next < 3_000, String(first.next));
  assert.equal(first.searchedTo, later(START, first.next - 1));
  assert.deepEqual(sqliteEventSearch(db, 10_000).find(asked), { items: [], next: null });
});

test("an account's events of a type are searched by whichever has fewer events", (t) => {
  const { db, store } = fresh(t);
  const many = (count: number, type: EventType, account: string) =>
    Array.from({ length: count }, () => ({ ...eventRow("203.0.113.7", START, { type, counts: null }), account }));
  record(store, ...many(1, "LOGIN_SUCCEEDED", "anna"), ...many(1_500, "LOGIN_SUCCEEDED", "bert"));
  record(store, ...many(3_000, "LOGIN_FAILED", "anna"));
  const names = sqliteEventNames(db);
  while (names.step());
  const { find } = sqliteEventSearch(db, 0);
  for (const [account, type, found] of [
    ["anna", "LOGIN_SUCCEEDED", [1]],
    ["bert", "LOGIN_FAILED", []],
  ] as const) {
    let searches = 0;
    // Without time each ends after 256 events.
    const counting = { find: (filter: EventFilter) => (searches++, find(filter)) };
    assert.deepEqual(pages(counting, { account, types: [type], most: 256, order: "newest_first" }), found);
    assert.ok(searches <= 7, `${account}: ${searches} searches`);
  }
});

test("a page filled by the last events has no next page", (t) => {
  const { store, search } = fresh(t);
  record(store, ...eventRows(6, "203.0.113.7", START));
  const nextOf = (most: number, order: EventFilter["order"]) => search.find({ most, order }).next;
  assert.deepEqual([nextOf(5, "oldest_first"), nextOf(6, "oldest_first")], [5, null]);
  assert.deepEqual([nextOf(5, "newest_first"), nextOf(6, "newest_first")], [2, null]);
});

test("a full page reads little more than its rows", (t) => {
  const { store, search } = fresh(t);
  record(store, ...eventRows(6, "203.0.113.7", START), ...eventRows(600, "203.0.113.8", START));
  const { mock } = t.mock.method(StatementSync.prototype, "all");
  const statementsOf = (filter: Pick<EventFilter, "most" | "text">) => {
    mock.resetCalls();
    const { items, next } = search.find({ ...filter, order: "oldest_first" });
    assert.equal(items.length, filter.most);
    return [mock.callCount(), next];
  };
  assert.deepEqual(statementsOf({ most: 50 }), [2, 50]);
  assert.deepEqual(statementsOf({ most: 6, text: "203.0.113.7" }), [2, 256]);
});

function pages(search: ReturnType<typeof sqliteEventSearch>, filter: EventFilter): readonly number[] {
  const ids: number[] = [];
  for (let asked = filter; ; ) {
    const { items, next } = search.find(asked);
    assert.ok(items.length <= filter.most);
    ids.push(...items.map(({ id }) => id));
    if (next === null) return ids;
    asked = filter.order === "newest_first" ? { ...filter, before: next } : { ...filter, after: next };
  }
}
