import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { banOf, engineDatabase, eventRow, net, START } from "../../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, instant, later } from "../../../core/time.ts";
import { EventIds } from "../engine-db/event-ids.ts";
import { SqliteQueries } from "./queries.ts";

const PAGE = { limit: 50, cursor: null };

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  return { db, store, committed, queries: new SqliteQueries(reader) };
}

test("events are found by time, whatever gaps the ids have", (t) => {
  const { db, store, committed } = fresh(t);
  const ids = new EventIds(db);
  assert.equal(ids.firstSince(START), 1);
  committed(() => {
    for (let i = 0; i < 40; i++) store.append(eventRow("203.0.113.7", later(START, i * 10)));
  });
  db.exec("DELETE FROM event WHERE id <= 5 OR id % 7 = 0 OR id BETWEEN 20 AND 27");
  for (let offset = -5; offset < 410; offset += 5) {
    const since = later(START, offset);
    const found = db.prepare("SELECT min(at) AS at, count(*) AS n FROM event WHERE id >= ?").get(ids.firstSince(since));
    const wanted = db.prepare("SELECT min(at) AS at, count(*) AS n FROM event WHERE at >= ?").get(since);
    assert.deepEqual(found, wanted, String(offset));
  }
});

test("why: everything known of one address", (t) => {
  const { store, committed, queries } = fresh(t);
  const prefix = net("203.0.113.7");
  const DAY = later(START, DAY_MS);
  committed(() => {
    store.append(eventRow("203.0.113.7", START));
    store.apply({ type: "BAN", ban: banOf("203.0.113.7", START) }, START);
    store.apply({ type: "LIFT", prefix, cause: "BAN_EXPIRED", forgiven: false, by: "engine" }, later(START, HOUR_MS));
    store.apply({ type: "BAN", ban: banOf("203.0.113.7", DAY, { offences: 2, level: "medium" }) }, DAY);
    store.apply({ type: "KNOW", prefix, account: "ann@example.org", proof: "" }, START);
    store.apply({ type: "ALLOW", prefix: net("203.0.113.0/24"), note: "office", by: "root", expiresAt: null }, START);
  });
  const report = queries.address(prefix, DAY, 7 * DAY_MS);
  assert.deepEqual(report.ban, {
    ip: "203.0.113.7",
    prefix: "203.0.113.7/32",
    level: "medium",
    code: "mail_limit",
    reason: "11 mails in a minute, 10 allowed",
    source: "engine",
    createdAt: "2026-11-21T06:00:00.000Z",
    expiresAt: "2026-11-21T06:30:00.000Z",
    offences: 2,
  });
  assert.deepEqual(
    report.pastBans.map(({ ended, endedAt, level }) => ({ ended, endedAt, level })),
    [{ ended: "BAN_EXPIRED", endedAt: "2026-11-20T07:00:00.000Z", level: "light" }],
  );
  assert.equal(report.offencesInMemory, 2);
  assert.equal(queries.address(prefix, DAY, HOUR_MS).offencesInMemory, 1);
  assert.equal(report.allowed?.prefix, "203.0.113.0/24");
  assert.deepEqual(report.knownAccounts, ["ann@example.org"]);
  assert.deepEqual(report.totals, { pastBans: 1, knownAccounts: 1 });
  assert.equal(report.events.length, 1);
  assert.equal(queries.address(prefix, later(DAY, HOUR_MS), DAY_MS).ban, null, "its time is over");
  assert.deepEqual(
    queries.bans(DAY, PAGE).items.map((ban) => ban.prefix),
    ["203.0.113.7/32"],
  );
  assert.deepEqual(queries.bans(later(DAY, HOUR_MS), PAGE), { items: [], next: null });

  const stranger = queries.address(net("198.51.100.1"), instant(DAY), DAY_MS);
  assert.deepEqual(stranger, {
    ban: null,
    pastBans: [],
    offencesInMemory: 0,
    allowed: null,
    knownAccounts: [],
    totals: { pastBans: 0, knownAccounts: 0 },
    events: [],
  });
});

test("why tells the narrowest ban around an IPv6 address", (t) => {
  const { store, committed, queries } = fresh(t);
  committed(() => {
    store.apply({ type: "BAN", ban: banOf("2001:db8::/32", START, { code: "manual" }) }, START);
    store.apply({ type: "BAN", ban: banOf("2001:db8:0:1::/64", START) }, START);
  });
  assert.equal(queries.address(net("2001:db8:0:1::7"), START, DAY_MS).ban?.prefix, "2001:db8:0:1::/64");
  assert.equal(queries.address(net("2001:db8:0:2::7"), START, DAY_MS).ban?.prefix, "2001:db8::/32");
});

test("bans come page by page, the newest first, and those that are over are left out", (t) => {
  const { store, committed, queries } = fresh(t);
  committed(() => {
    for (let i = 1; i <= 7; i++) store.apply({ type: "BAN", ban: banOf(`203.0.113.${i}`, START) }, START);
    store.apply(
      { type: "LIFT", prefix: net("203.0.113.6"), cause: "UNBAN", forgiven: true, by: "root" },
      later(START, 1),
    );
  });
  const seen: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const { items, next }: ReturnType<typeof queries.bans> = queries.bans(START, { limit: 2, cursor });
    seen.push(...items.map(({ ip }) => ip.slice("203.0.113.".length)));
    cursor = next;
    if (next === null) break;
    assert.equal(items.length, 2);
  }
  assert.deepEqual(seen, ["7", "5", "4", "3", "2", "1"]);
});

test("of what an address may have much of, the report lists a part and tells how much there is", (t) => {
  const { store, committed, queries } = fresh(t);
  const prefix = net("203.0.113.7");
  committed(() => {
    for (let i = 0; i < 60; i++) {
      store.apply({ type: "KNOW", prefix, account: `u${String(i).padStart(2, "0")}@example.org`, proof: "" }, START);
      store.apply({ type: "BAN", ban: banOf("203.0.113.7", later(START, i)) }, later(START, i));
    }
  });
  const { pastBans, knownAccounts, totals } = queries.address(prefix, START, DAY_MS);
  assert.deepEqual(totals, { pastBans: 59, knownAccounts: 60 });
  assert.deepEqual([pastBans.length, knownAccounts.length, knownAccounts.at(-1)], [50, 50, "u49@example.org"]);
});
