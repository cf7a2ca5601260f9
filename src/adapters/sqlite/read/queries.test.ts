import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { banOf, eventRow, net, START, scratch } from "../../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, instant, later } from "../../../core/time.ts";
import { EventIds } from "../engine-db/event-ids.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine, openEngineForReading } from "../open.ts";
import { SqliteQueries } from "./queries.ts";

function fresh(t: TestContext) {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  const committed = (work: () => void): void => {
    store.begin();
    work();
    store.commit();
  };
  return { db, store, committed, queries: new SqliteQueries(reader) };
}

test("ranking counts what an address did since", (t) => {
  const { store, committed, queries } = fresh(t);
  committed(() => {
    store.append(eventRow("203.0.113.9", START));
    for (let i = 0; i < 3; i++) store.append(eventRow("203.0.113.7", later(START, HOUR_MS)));
    store.append(eventRow("203.0.113.7", later(START, HOUR_MS), { type: "EMAIL_BLOCKED", counts: "mail" }));
    store.append(eventRow("203.0.113.8", later(START, HOUR_MS), { type: "EMAIL", counts: "mail" }));
    store.append(eventRow("203.0.113.8", later(START, HOUR_MS), { type: "BAN" }));
  });
  const top = [
    { ip: "203.0.113.7", mails: 1, connections: 3, rejected: 1 },
    { ip: "203.0.113.8", mails: 1, connections: 0, rejected: 0 },
  ];
  assert.deepEqual(queries.topIps(later(START, 1), 9), top);
  assert.deepEqual(queries.topIps(later(START, 1), 1), top.slice(0, 1));
  assert.deepEqual(queries.topIps(START, 9).length, 3);
  assert.deepEqual(queries.topIps(later(START, DAY_MS), 9), []);
  assert.deepEqual(queries.counts(later(START, 1)), { BAN: 1, CONNECT: 3, EMAIL: 1, EMAIL_BLOCKED: 1 });
});

test("who brings most mail comes first, however busy others are, and however long ago within the window", (t) => {
  const { db, store, committed, queries } = fresh(t);
  committed(() => {
    for (let i = 0; i < 3; i++) store.append(eventRow("203.0.113.7", START, { type: "EMAIL", counts: "mail" }));
  });
  // A flood of connections came after it: more events than any part of them that could be looked at.
  db.exec(`
    INSERT INTO event (at, type, ip, prefix, counts, details, action)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250000)
    SELECT ${later(START, 1)}, 'CONNECT', '203.0.113.8', '203.0.113.8/32', 1, '', '' FROM n`);
  assert.deepEqual(queries.topIps(START, 9), [
    { ip: "203.0.113.7", mails: 3, connections: 0, rejected: 0 },
    { ip: "203.0.113.8", mails: 0, connections: 250_000, rejected: 0 },
  ]);
});

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
  assert.equal(report.events.length, 1);
  assert.equal(queries.address(prefix, later(DAY, HOUR_MS), DAY_MS).ban, null, "its time is over");
  assert.deepEqual(
    queries.bans(DAY).map((ban) => ban.prefix),
    ["203.0.113.7/32"],
  );
  assert.deepEqual(queries.bans(later(DAY, HOUR_MS)), []);

  const stranger = queries.address(net("198.51.100.1"), instant(DAY), DAY_MS);
  assert.deepEqual(stranger, {
    ban: null,
    pastBans: [],
    offencesInMemory: 0,
    allowed: null,
    knownAccounts: [],
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
