import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { ban, banOf, engineDatabase, eventRow, record, START, unban } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, instant, later, MINUTE_MS } from "../../core/time.ts";
import { sqliteEventIds } from "../events/event-ids.ts";
import { sqliteQueries } from "./queries.ts";

const PAGE = { limit: 50, cursor: null };
const within = (memoryMs: number) => ({ memoryMs, ipv6Prefix: 64 });

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  return { db, store, committed, queries: sqliteQueries(reader) };
}

test("events are found by time even if ids have gaps", (t) => {
  const { db, store } = fresh(t);
  const ids = sqliteEventIds(db);
  assert.equal(ids.firstSince(START), 1);
  record(store, ...Array.from({ length: 40 }, (_, i) => eventRow("203.0.113.7", later(START, i * 10))));
  db.exec("DELETE FROM event WHERE id <= 5 OR id % 7 = 0 OR id BETWEEN 20 AND 27");
  for (let offset = -5; offset < 410; offset += 5) {
    const since = later(START, offset);
    const found = db.prepare("SELECT min(at) AS at, count(*) AS n FROM event WHERE id >= ?").get(ids.firstSince(since));
    const wanted = db.prepare("SELECT min(at) AS at, count(*) AS n FROM event WHERE at >= ?").get(since);
    assert.deepEqual(found, wanted, String(offset));
  }
});

test("events are found by time even if the clock was years behind or ahead", (t) => {
  const { db, store } = fresh(t);
  const ids = sqliteEventIds(db);
  const shifts = [...[30, 31, 90, 150, 195].map((at) => ({ at, days: -1_000 })), { at: 120, days: 1_000 }];
  for (let i = 0; i < 200; i++) {
    const shifted = shifts.find(({ at }) => i >= at && i < at + 4);
    record(store, eventRow("203.0.113.7", later(START, i * MINUTE_MS + (shifted?.days ?? 0) * DAY_MS)));
    if (i === 180) store.indexWaiting();
  }
  const naive = db.prepare(
    "SELECT min(id) AS id FROM event WHERE at BETWEEN ? AND (SELECT at FROM event WHERE id = 200)",
  );
  for (let minutes = -2; minutes < 200; minutes++) {
    const since = later(START, minutes * MINUTE_MS);
    assert.equal(ids.firstSince(since), naive.get(since)?.["id"], String(minutes));
  }
  assert.equal(ids.firstSince(later(START, 200 * MINUTE_MS)), 201);
});

test("the score of a mail is read from its own event", (t) => {
  const { store, queries } = fresh(t);
  const scored = { type: "SPAM_SCORED", rest: { event: "SPAM_SCORED", score: -1.25, required: 5 } } as const;
  const ids = record(store, eventRow("203.0.113.7", START, scored), eventRow("203.0.113.7", START));
  assert.deepEqual([...queries.spamScores([...ids, 99])], [[ids[0], { score: -1.25, required: 5 }]]);
});

test("why reports everything known about an address", (t) => {
  const { store, committed, queries } = fresh(t);
  const prefix = net("203.0.113.7");
  const DAY = later(START, DAY_MS);
  const current = banOf("203.0.113.7", DAY, { offences: 2, level: "medium" });
  const [createdAt, expiresAt] = ["2026-11-21T06:00:00.000Z", "2026-11-21T06:30:00.000Z"];
  committed(() => {
    store.append(eventRow("203.0.113.7", START));
    ban(store, "203.0.113.7");
    store.apply({ type: "LIFT", prefix, cause: "BAN_EXPIRED", forgiven: false, by: "engine" }, later(START, HOUR_MS));
    store.apply({ type: "BAN", ban: current }, DAY);
    store.apply({ type: "KNOW", prefix, account: "ann@example.org", passwordHash: "" }, START);
    store.apply({ type: "ALLOW", prefix: net("203.0.113.0/24"), note: "office", by: "root", expiresAt: null }, START);
  });
  const report = queries.address(prefix, DAY, within(7 * DAY_MS));
  assert.deepEqual(report.ban, { ...current, createdAt, expiresAt });
  const past = report.pastBans.map(({ ended, endedAt, level }) => `${ended} ${endedAt} ${level}`);
  assert.deepEqual(past, ["BAN_EXPIRED 2026-11-20T07:00:00.000Z light"]);
  assert.equal(report.offencesInMemory, 2);
  assert.equal(queries.address(prefix, DAY, within(HOUR_MS)).offencesInMemory, 1);
  assert.equal(report.allowed?.prefix, "203.0.113.0/24");
  assert.deepEqual(report.knownAccounts, ["ann@example.org"]);
  assert.deepEqual(report.totals, { pastBans: 1, knownAccounts: 1 });
  assert.equal(report.events.length, 1);
  assert.equal(queries.address(prefix, later(DAY, HOUR_MS), within(DAY_MS)).ban, null, "its time is over");
  assert.deepEqual(queries.bans(DAY, PAGE).items, [report.ban]);
  assert.deepEqual(queries.bans(later(DAY, HOUR_MS), PAGE), { items: [], next: null });

  const stranger = queries.address(net("198.51.100.1"), instant(DAY), within(DAY_MS));
  const nothing = { ban: null, pastBans: [], allowed: null, knownAccounts: [], events: [] };
  assert.deepEqual(stranger, { ...nothing, offencesInMemory: 0, totals: { pastBans: 0, knownAccounts: 0 } });
});

test("why reports the narrowest ban around an IPv6 address", (t) => {
  const { store, committed, queries } = fresh(t);
  committed(() => {
    ban(store, "2001:db8::/32", START, { code: "manual", expiresAt: null });
    ban(store, "2001:db8:0:1::/64");
  });
  const inside = queries.address(net("2001:db8:0:1::7"), START, within(DAY_MS));
  assert.deepEqual([inside.ban?.prefix, inside.offencesInMemory], ["2001:db8:0:1::/64", 1], "only its own /64 counts");
  const around = queries.address(net("2001:db8:0:2::7"), START, within(DAY_MS)).ban;
  assert.partialDeepStrictEqual(around, { prefix: "2001:db8::/32", expiresAt: null });
});

test("for a network, why names the accounts that sign in from any part of it", (t) => {
  const { store, committed, queries } = fresh(t);
  const places: readonly (readonly [string, string])[] = [
    ["203.0.113.7", "carl@example.org"],
    ["203.0.113.7", "anna@example.org"],
    ["203.0.113.250", "anna@example.org"],
    ["203.0.112.1", "eve@example.org"],
    ["203.0.114.1", "finn@example.org"],
    ["2001:db8:0:1::/64", "bob@example.org"],
    ["2001:db8:1::/64", "gina@example.org"],
    ["2001:db9::/64", "hans@example.org"],
  ];
  committed(() => {
    for (const [from, account] of places)
      store.apply({ type: "KNOW", prefix: net(from), account, passwordHash: "" }, START);
  });
  const of = (network: string): string => {
    const { knownAccounts, totals } = queries.address(net(network), START, within(DAY_MS));
    assert.equal(knownAccounts.length, totals.knownAccounts);
    return knownAccounts.map((name) => name.split("@")[0]).join(" ");
  };
  assert.equal(of("203.0.113.0/24"), "anna carl");
  assert.equal(of("203.0.113.128/25"), "anna");
  assert.equal(of("203.0.112.0/23"), "anna carl eve");
  assert.equal(of("203.0.113.8"), "");
  assert.equal(of("203.0.113.7"), "anna carl");
  assert.equal(of("192.0.0.0/4"), "anna carl eve finn");
  assert.equal(of("::/0"), "bob gina hans");
  assert.equal(of("2001:db8::/48"), "bob");
  assert.equal(of("2001:db8:0:1::7"), "bob", "it is judged by its network");
});

test("bans, optionally with a text in their network, reason or source, are listed by page, newest first", (t) => {
  const { store, committed, queries } = fresh(t);
  const all = ["203.0.113.1", "203.0.113.2", "198.51.100.1", "203.0.113.3"];
  committed(() => {
    for (const ip of all) ban(store, ip, START, { reason: `It guessed at ${ip}.` });
    unban(store, "203.0.113.3", later(START, 1));
  });
  const found = (text: string) => queries.bans(START, { limit: 1, cursor: null, text });
  const pages = (asked: object): readonly string[] => {
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const { items, next }: ReturnType<typeof queries.bans> = queries.bans(START, { limit: 1, cursor, ...asked });
      seen.push(items.map(({ ip }) => ip).join());
      cursor = next;
      if (next === null) return seen;
    }
  };
  assert.deepEqual(pages({}), ["198.51.100.1", "203.0.113.2", "203.0.113.1"]);
  assert.deepEqual(pages({ text: "203.0.113." }), ["203.0.113.2", "203.0.113.1"]);
  assert.equal(found("GUESSED AT 198").items[0]?.ip, "198.51.100.1");
  assert.deepEqual(found("100%_'").items, []);
  const reason = "Übung macht Ärger";
  committed(() => ban(store, "203.0.113.9", START, { reason }));
  for (const text of [reason, "übung", "ÜBUNG MACHT ÄRGER", "macht ä", "9/32 übung"])
    assert.equal(found(text).items[0]?.ip, "203.0.113.9", text);
  assert.deepEqual(found("ubung").items, []);
});

test("the report of an address lists part of a long list, and its total", (t) => {
  const { store, committed, queries } = fresh(t);
  const prefix = net("203.0.113.7");
  committed(() => {
    for (let i = 0; i < 60; i++) {
      const account = `u${String(i).padStart(2, "0")}@example.org`;
      store.apply({ type: "KNOW", prefix, account, passwordHash: "" }, START);
      ban(store, "203.0.113.7", later(START, i));
    }
  });
  const { pastBans, knownAccounts, totals } = queries.address(prefix, START, within(DAY_MS));
  assert.deepEqual(totals, { pastBans: 59, knownAccounts: 60 });
  assert.deepEqual([pastBans.length, knownAccounts.length, knownAccounts.at(-1)], [50, 50, "u49@example.org"]);
});

test("the steps of bans show which bans were added and which removed", (t) => {
  const { store, committed, queries } = fresh(t);
  committed(() => ban(store, "203.0.113.7"));
  const { upto } = queries.banChanges(null, 0);
  assert.deepEqual(queries.banChanges(upto, 9), { added: [], removed: [], upto, isAll: true });
  committed(() => {
    ban(store, "203.0.113.8");
    ban(store, "203.0.113.9", START, { simulated: true });
    unban(store, "203.0.113.7");
    ban(store, "203.0.113.8", START, { offences: 2 });
  });
  const one = queries.banChanges(upto, 1);
  assert.deepEqual([one.added.map(({ prefix }) => prefix), one.isAll], [["203.0.113.8/32"], false]);
  const all = queries.banChanges(upto, 99);
  const added = all.added.map(({ prefix, offences }) => `${prefix} ${offences}`);
  assert.deepEqual([added, all.removed, all.isAll], [["203.0.113.8/32 2"], ["203.0.113.7/32"], true]);
  assert.match(queries.name(), /^[0-9a-f]{16}$/);
});
