import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import {
  ban,
  banOf,
  columnOf,
  committed,
  engineFor,
  eventRow,
  eventRows,
  insertRow,
  reachSince,
  record,
  rowsOf,
  START,
  scalarOf,
  unban,
} from "../../../test/kit/test-database.ts";
import { auditedRecovery } from "../../core/audit/audited.ts";
import { AUDIT_LIMITS, ENTRIES_STAY_MS } from "../../core/audit/chain.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { DAY_MS, HOUR_MS, isoTime, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { sqliteBanLog } from "../engine-db/ban-log.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { countSurplus } from "../maintenance/work.ts";
import { sqliteAuditChain, sqliteAuditEntries } from "./audit.ts";
import { EventCount } from "./event-ids.ts";
import { Retention, type RetentionLimits } from "./retention.ts";

const WIDE = { maxRows: 1e6, maxBytes: 1e9, maxAgeMs: 30 * DAY_MS, windowMs: DAY_MS, offenceMs: () => DAY_MS };

function fresh(t: TestContext, limits: Partial<RetentionLimits>) {
  const db = engineFor(t);
  const events = new EventCount(db);
  const store = new SqliteStore(db, events);
  const retention = new Retention(db, events, { ...WIDE, ...limits });
  const count = (where = "true"): number => Number(scalarOf(db, `SELECT count(*) FROM event WHERE ${where}`));
  const append = (rows: number, at: Millis, type: EventType = "CONNECT") =>
    record(store, ...Array.from({ length: rows }, (_, i) => eventRow(`203.0.${i % 250}.7`, at, { type })));
  /** Passwords numbered from `first` on, each tried at the account; `%d` in its name is the number. */
  const guess = (account: string, rows: number, at: Millis, first = 1): void => {
    const sql = `
      WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + ?2 - 1)
      INSERT INTO guess (account, network, proof, at) SELECT printf(?3, i), '203.0.113.0/24', printf('%06d', i), ?4 FROM n`;
    db.prepare(sql).run(first, rows, account, at);
  };
  const audit = (entries: number, atOf: (i: number) => Millis): void => {
    const chain = sqliteAuditChain(db);
    db.exec("BEGIN");
    for (let i = 0; i < entries; i++) chain(auditedRecovery("missing", atOf(i)));
    db.exec("COMMIT");
  };
  const settle = (now: Millis, batch = 1_000): number => {
    const before = events.rows;
    store.indexWaiting();
    if (retention.mustCount(now)) retention.counted(countSurplus(db, retention.staleBefore(now)), now);
    for (let step = 0; step < 1_000; step++) {
      if (!retention.step(now, batch)) return before - events.rows;
    }
    throw new Error("never settles");
  };
  return { db, events, store, retention, count, append, guess, audit, settle };
}

test("above the limit of rows the oldest routine rows are summed up by hour", (t) => {
  const { db, append, settle, count, store, retention, events } = fresh(t, { maxRows: 1_000 });
  append(300, START);
  append(50, START, "BAN");
  append(900, later(START, HOUR_MS));
  assert.equal(events.rows, 1_250);
  store.indexWaiting();
  assert.equal(retention.step(START, 100), false, "nothing is removed before the first count");
  retention.counted(countSurplus(db, START), START);
  assert.equal(retention.step(START, 100), true);
  assert.equal(events.rows, 1_150, "a step removes no more than its batch");
  assert.equal(settle(START, 100), 150);
  assert.equal(count(), 1_000);
  assert.equal(events.rows, 1_000);
  assert.equal(count("type = 'BAN'"), 50, "bans stay");
  append(150, later(START, HOUR_MS));
  settle(START);
  assert.equal(count(), 1_000);
  assert.deepEqual(rowsOf(db, "SELECT hour, type, reason, count FROM event_summary ORDER BY hour"), [
    [START, "CONNECT", "below_limit", 300],
    [START + HOUR_MS, "CONNECT", "below_limit", 100],
  ]);
});

test("when only bans and commands are left, the oldest of them are removed too", (t) => {
  const { append, settle, count } = fresh(t, { maxRows: 100 });
  append(80, START, "BAN");
  append(80, START, "ACCOUNT_ADDED");
  append(10, START);
  assert.equal(settle(START), 70);
  assert.equal(count("type = 'CONNECT'"), 1);
  assert.equal(count("type = 'BAN'"), 19);
  assert.equal(count("type = 'ACCOUNT_ADDED'"), 80);
});

test("many SPARED events crowd out no evidence", (t) => {
  const { append, settle, count } = fresh(t, { maxRows: 100 });
  append(50, START, "BAN");
  append(40, START, "PASSWORD_CHANGED");
  append(900, START, "SPARED");
  settle(START);
  assert.deepEqual([count("type = 'BAN'"), count("type = 'PASSWORD_CHANGED'"), count("type = 'SPARED'")], [50, 40, 10]);
});

test("the newest event stays, so that no id is reused", (t) => {
  const { append, settle, count, store } = fresh(t, { maxAgeMs: DAY_MS, maxRows: 50 });
  append(50, START, "BAN");
  append(1, START);
  assert.equal(settle(START), 1);
  assert.equal(count("type = 'BAN'"), 49, "an old ban was removed instead");
  settle(later(START, 9 * DAY_MS));
  assert.deepEqual(record(store, eventRow("203.0.113.7", START)), [52]);
});

test("a flood stays within the limit of bytes, and the file stops growing", (t) => {
  const { append, settle, retention, db } = fresh(t, { maxBytes: 1_500_000 });
  const pages = (): number => Number(scalarOf(db, "PRAGMA page_count"));
  let settled = 0;
  for (let round = 0; round < 30; round++) {
    append(1_500, later(START, round));
    settle(START);
    assert.ok(retention.usedBytes() <= 1_500_000, String(retention.usedBytes()));
    if (round === 9) settled = pages();
  }
  assert.ok(settled > 350 && pages() <= settled * 1.1, `${pages()} pages, were ${settled}`);
});

test("a database that is too large for another reason keeps a thousand events", (t) => {
  const { append, settle, count } = fresh(t, { maxBytes: 1 });
  append(1_200, START);
  settle(START);
  assert.equal(count(), 1_000);
});

test("old routine rows are removed", (t) => {
  const { append, settle, count } = fresh(t, { maxAgeMs: DAY_MS });
  append(200, START);
  append(5, START, "UNBAN");
  append(300, later(START, HOUR_MS));
  assert.equal(settle(later(START, DAY_MS)), 0);
  assert.equal(settle(later(START, DAY_MS + 1), 64), 200);
  assert.equal(settle(later(START, 10 * DAY_MS)), 299);
  assert.equal(count(), 6);
});

test("known addresses, ended bans and followed steps are removed once they are old; those in force stay", (t) => {
  const offence = { ms: DAY_MS };
  const { db, store, settle } = fresh(t, { offenceMs: () => offence.ms });
  const rows = (table: string): number => Number(scalarOf(db, `SELECT count(*) FROM ${table}`));
  const prefix = net("203.0.113.1");
  committed(store, () => {
    store.apply({ type: "KNOW", prefix, account: "ann@example.org", passwordHash: "" }, START);
    store.apply({ type: "BAN", ban: banOf("203.0.113.1", START) }, START);
    store.apply({ type: "BAN", ban: banOf("203.0.113.2", START, { expiresAt: null }) }, START);
    store.apply({ type: "LIFT", prefix, cause: "BAN_EXPIRED", forgiven: false, by: "engine" }, later(START, HOUR_MS));
  });
  settle(later(START, 90 * DAY_MS));
  assert.deepEqual([rows("known_address"), rows("ban")], [1, 2]);
  offence.ms = 181 * DAY_MS;
  settle(later(START, 181 * DAY_MS));
  assert.deepEqual([rows("known_address"), rows("ban")], [0, 2], "it may still make the next ban longer");
  offence.ms = DAY_MS;
  settle(later(START, 182 * DAY_MS));
  assert.equal(rows("ban"), 1);
  assert.equal(sqliteBanLog(db).last(), 3, "few steps stay, however old");
});

for (const [table, column, kept] of [
  ["guess", "at", START - 7 * DAY_MS],
  ["correspondent", "last_at", START - 400 * DAY_MS],
  ["honest_mail", "day", Math.floor(START / DAY_MS) - 90],
  ["event_summary", "hour", START - 400 * DAY_MS],
] as const)
  test(`a row of ${table} stays for its whole term, and no longer`, (t) => {
    const { db, settle } = fresh(t, {});
    for (const at of [kept - 1, kept]) insertRow(db, table, { [column]: at, proof: at, address: at });
    settle(START);
    assert.deepEqual(columnOf(db, `SELECT ${column} FROM ${table}`), [kept]);
  });

test("of too many rows the oldest are removed, but no ban in force", (t) => {
  const { db, store, retention } = fresh(t, {});
  committed(store, () => {
    for (const last of [1, 2, 3]) ban(store, `203.0.113.${last}`);
    for (const last of [3, 2]) unban(store, `203.0.113.${last}`, later(START, 9 - last));
  });
  for (const age of [1, 0]) {
    insertRow(db, "correspondent", { last_at: START - age, address: age });
    insertRow(db, "honest_mail", { day: Math.floor(START / DAY_MS) - age });
  }
  const over = { endedBans: 200_001, correspondents: 100_001, honestMail: 100_001 };
  retention.counted({ ...countSurplus(db, START), ...over }, START);
  while (retention.step(START, 10));
  assert.deepEqual(columnOf(db, "SELECT prefix FROM ban"), ["203.0.113.1/32", "203.0.113.2/32"]);
  assert.deepEqual(columnOf(db, "SELECT last_at FROM correspondent"), [START]);
  assert.deepEqual(columnOf(db, "SELECT day FROM honest_mail"), [Math.floor(START / DAY_MS)]);
});

test("steps that are old and far behind are removed, the newest stay", (t) => {
  const { db, settle } = fresh(t, {});
  const insert = db.prepare("INSERT INTO ban_step (at, type, prefix) VALUES (?, 'delete', '203.0.113.1/32')");
  db.exec("BEGIN");
  for (let i = 0; i < 100_500; i++) insert.run(START);
  db.exec("COMMIT");
  const log = sqliteBanLog(db);
  settle(later(START, HOUR_MS - 1));
  assert.equal(log.after(0, 1)[0]?.id, 1, "none is old enough");
  settle(later(START, 2 * HOUR_MS), 1_000);
  assert.equal(log.last(), 100_500);
  assert.equal(log.after(0, 1)[0]?.id, 501);
});

test("a flood does not empty the windows of earlier addresses for as long as these windows last", (t) => {
  const { append, settle, count, store } = fresh(t, { maxRows: 1_000 });
  const prefix = net("198.51.100.7/32");
  const reach = reachSince(START, 100);
  record(
    store,
    ...eventRows(8, "198.51.100.7", later(START, 1), { type: "EMAIL", counts: "mail" }),
    eventRow("198.51.100.7", later(START, 9), { type: "LOGIN_FAILED", counts: "login", proof: "a1" }),
    eventRow("198.51.100.7", later(START, 9), { type: "RECIPIENT", counts: null }),
  );
  append(3_000, later(START, HOUR_MS));
  settle(later(START, HOUR_MS));
  assert.equal(count("ip = '198.51.100.7'"), 0);
  const kept = store.address(prefix, reach);
  assert.deepEqual([kept.mails.length, kept.failures.length], [8, 1]);

  // A day later no window counts them, and the hourly sweep removes them.
  append(1, later(START, 3 * DAY_MS));
  settle(later(START, 3 * DAY_MS));
  settle(later(START, 3 * DAY_MS + 2 * HOUR_MS));
  assert.equal(store.address(prefix, reach).mails.length, 0);
});

test("the number of entries kept for windows is bounded", (t) => {
  const { db, append, settle } = fresh(t, { maxRows: 1_000 });
  for (let round = 0; round < 8; round++) {
    append(2_000, later(START, round));
    settle(later(START, round));
  }
  const entries = Number(scalarOf(db, "SELECT count(*) FROM event_subject"));
  assert.ok(entries <= 1_000 + 1_000 + 1_000, `${entries} entries`);
});

test("a flood of guesses is counted within a minute instead of an hour, and the oldest are removed", (t) => {
  const { db, retention, settle, guess } = fresh(t, {});
  const rows = () => rowsOf(db, "SELECT count(*), min(CAST(proof AS INTEGER)) FROM guess")[0];
  guess("anna", 190_010, START);
  settle(START);
  guess("anna", 10_000, later(START, 1), 200_001);
  assert.equal(retention.mustCount(later(START, MINUTE_MS)), false, "ten thousand are not many");
  guess("anna", 1, later(START, 1), 300_001);
  assert.equal(retention.mustCount(later(START, 2 * MINUTE_MS - 1)), false, "it checks once a minute");
  assert.deepEqual(rows(), [200_011, 1]);
  settle(later(START, 2 * MINUTE_MS));
  assert.deepEqual(rows(), [200_000, 12]);
  assert.equal(retention.mustCount(later(START, 3 * MINUTE_MS)), false, "guesses before the last count are not new");
  assert.equal(retention.mustCount(later(START, 2 * MINUTE_MS + HOUR_MS)), true);
});

test("a flood of names leaves the latest guesses at each account", (t) => {
  const { db, settle, guess } = fresh(t, {});
  db.exec("INSERT INTO account_password (account, proof) VALUES ('anna', 'x'), ('bert', 'x')");
  guess("anna", 1_500, START);
  guess("bert", 4_100, START);
  guess("nobody%d", 195_000, later(START, 1));
  settle(later(START, 1));
  const count = (where: string) => scalarOf(db, `SELECT count(*) FROM guess WHERE ${where}`);
  assert.deepEqual([count("account = 'anna'"), count("account = 'bert'")], [1_500, 4_000]);
  assert.equal(count("account LIKE 'nobody%'"), 194_500);
});

test("the oldest entries of the audit are removed when there are too many, and the rest of the chain is still valid", (t) => {
  const limits = { most: 100, mostYoung: 500 };
  const { db, settle, audit } = fresh(t, { audit: limits });
  // The clock was set back after the first five.
  audit(110, (i) => later(START, i < 5 ? 2 * HOUR_MS : 0));
  const entries = sqliteAuditEntries(db);
  const left = (at: Millis) => {
    settle(at);
    const { first, last, fault } = entries.check([], at, limits);
    return [first, last, fault];
  };
  assert.deepEqual(left(later(START, ENTRIES_STAY_MS)), [1, 110, null], "none is old enough");
  assert.deepEqual(left(later(START, ENTRIES_STAY_MS + HOUR_MS)), [1, 110, null], "nor is the first");
  assert.deepEqual(left(later(START, ENTRIES_STAY_MS + 3 * HOUR_MS)), [11, 110, null]);
});

test("a flood of audit entries is bounded, and the check reports each anchored entry that it crowded out", (t) => {
  const limits = { most: 100, mostYoung: 500 };
  const { db, settle, audit } = fresh(t, { audit: limits });
  audit(10, () => START);
  const entries = sqliteAuditEntries(db);
  const hash = String(scalarOf(db, "SELECT hash FROM audit_entry WHERE id = 7"));
  const anchors = [{ at: isoTime(START), id: 7, hash }];
  assert.equal(entries.check(anchors, START, limits).fault, null);
  audit(500, () => START);
  settle(START);
  const { first, last, fault } = entries.check(anchors, later(START, ENTRIES_STAY_MS - DAY_MS - 1), limits);
  assert.deepEqual([first, last], [11, 510]);
  assert.match(fault?.says ?? "", /^entries up to 10 left early: entry 7 was the newest at .*, and stays for 90 days/);
  // An anchor may be a day younger than its entry.
  assert.equal(entries.check(anchors, later(START, ENTRIES_STAY_MS - DAY_MS), limits).fault, null);
});

test("without other limits, as many entries of the audit stay as the check demands", (t) => {
  const { db, settle } = fresh(t, {});
  const sql = `
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO audit_entry (at, actor, type, subject, detail, previous, hash) SELECT ?, '', '', '', '', '', '' FROM n`;
  db.prepare(sql).run(AUDIT_LIMITS.most + 10, isoTime(START));
  settle(later(START, ENTRIES_STAY_MS + 2 * HOUR_MS));
  assert.equal(scalarOf(db, "SELECT min(id) FROM audit_entry"), 11);
});
