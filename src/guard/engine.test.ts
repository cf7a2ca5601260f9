import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guess, mail } from "../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { ip, MAIL, net, STRANGER } from "../../test/kit/samples.ts";
import { columnOf } from "../../test/kit/test-database.ts";
import type { Connect } from "../core/events/connection.ts";
import type { Event } from "../core/events/event.ts";
import { hostPrefix } from "../core/net/ip.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../core/time.ts";

// The rules themselves are in test/scenarios. These are the cases that a scenario cannot state.

test("each event sees the changes of earlier ones in the same turn", async () => {
  const { engine } = engineOnMemory();
  const decided = await Promise.all(Array.from({ length: 12 }, () => engine.ask(mail())));
  const last = decided.slice(9).map(({ reason }) => reason);
  assert.deepEqual(last, ["below_limit", "mail_limit", "banned"]);
});

test("a network that contains something protected is judged address by address", async () => {
  const own = [{ prefix: net("2001:db8:1:1::10/128"), why: "own_address" as const }];
  const { engine, sqlite } = engineOnMemory(TEST_POLICY, own);
  for (let i = 0; i < 21; i++) await engine.ask(connect(ip("2001:db8:1:1::bad")));
  assert.equal(sqlite.ban(net("2001:db8:1:1::/64")), null);
  assert.equal(sqlite.ban(net("2001:db8:1:1::bad/128"))?.level, "light");
  for (let i = 0; i < 50; i++) assert.equal((await engine.ask(connect(ip("2001:db8:1:1::10")))).verdict, "pass");
});

test("a sign-in makes all of a network known, even if something protected splits it", async () => {
  const own = [{ prefix: net("2001:db8:1:1::10/128"), why: "own_address" as const }];
  const { engine, clock, sqlite } = engineOnMemory(TEST_POLICY, own);
  const [seen, later] = [ip("2001:db8:1:1::a"), ip("2001:db8:1:1::b")];
  await engine.ask(connect(seen));
  await engine.ask({ ...guess("right", ip("2001:db8:1:1::c")), type: "LOGIN_SUCCEEDED" });
  for (const from of [seen, later]) {
    for (let i = 0; i < 30; i++) await engine.ask(connect(from));
    assert.equal(sqlite.ban(hostPrefix(from)), null, from);
  }
  clock.advance(DAY_MS + HOUR_MS);
  const sent = { ...mail(seen, "alice@example.test"), recipientCount: 21 };
  assert.equal((await engine.ask(sent)).verdict, "pass", "from a new place, mail to 21 strangers is held");
});

test("a place by which accounts send on this machine is known a day after the first mail", async () => {
  const { engine, clock } = engineOnMemory(TEST_POLICY, [{ prefix: net("::1/128"), why: "loopback" }]);
  const sent = mail(ip("::1"), "alice@example.test");
  assert.equal((await engine.ask(sent)).verdict, "pass");
  clock.advance(DAY_MS + HOUR_MS);
  assert.equal((await engine.ask({ ...sent, queueId: "4ABD", recipientCount: 21 })).verdict, "pass");
});

test("a clock set back by an hour bans no innocent address, lifts no ban, and lets windows continue", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  const other = { ...connect(), ip: ip("203.0.113.8") };
  for (let i = 0; i < 20; i++) await engine.ask(other);
  for (let i = 0; i < 21; i++) await engine.ask(connect());
  clock.advance(-HOUR_MS);
  assert.equal((await engine.ask(connect())).reason, "banned");
  for (let i = 0; i < 20; i++) assert.equal((await engine.ask(other)).verdict, "pass", `connection ${i}`);
  clock.advance(MINUTE_MS);
  assert.equal((await engine.ask(other)).verdict, "pass", "a minute later the count starts again");
  for (let i = 0; i < 20; i++) await engine.ask(other);
  assert.equal(sqlite.ban(net("203.0.113.8"))?.code, "connection_limit", "a client that continues is banned");
});

const CONNECT: Connect = { type: "CONNECT", ...MAIL };
const PREFIX = hostPrefix(STRANGER);
const POSITION = { inode: "1", offset: 7 };

const DETAILS = "SELECT details FROM event ORDER BY id";

test("a turn with very many events and records commits 32 at a time, and the rest at its end", async () => {
  const { engine, committed } = engineOnMemory();
  const record = { type: "ACCOUNT_ADDED", subject: "anna@example.test", by: "root" } as const;
  const all: Promise<unknown>[] = [];
  for (let i = 1; i <= 65; i++) {
    all.push(i % 32 === 1 ? engine.audit(record) : engine.ask(CONNECT));
    assert.equal(committed.length, Math.floor(i / 32));
  }
  await Promise.all(all);
  assert.equal(committed.length, 3);
});

test("a commit without an open transaction does nothing", () => {
  const { engine, committed } = engineOnMemory();
  engine.commit();
  assert.deepEqual([committed.length, engine.lastEventId], [0, 0]);
});

test("each commit reports only its own changes", async () => {
  const { engine, committed } = engineOnMemory();
  const asked = { prefix: PREFIX, note: "", durationMs: null, by: "root" };
  const events: readonly (readonly [Event, bansChanged: boolean, allowChanged: boolean])[] = [
    [{ type: "BAN_ASKED", ...asked }, true, false],
    [CONNECT, false, false],
    [{ type: "UNBAN_ASKED", ...asked }, true, false],
    [{ type: "ALLOW_ASKED", ...asked }, false, true],
    [{ type: "DISALLOW_ASKED", ...asked }, false, true],
    [CONNECT, false, false],
  ];
  for (const [i, [event, bansChanged, allowChanged]] of events.entries()) {
    await engine.ask(event);
    engine.commit();
    assert.partialDeepStrictEqual(committed[i], { bansChanged, allowChanged, lastEventId: i + 1 });
  }
  assert.deepEqual([committed.length, engine.lastEventId], [6, 6]);
});

test("administrators' commands and log positions are recorded together with the commit", async () => {
  const { engine, db } = engineOnMemory();
  assert.equal(await engine.audit({ type: "ACCOUNT_ADDED", subject: "anna@example.test", by: "root" }), true);
  const seen = [{ type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<a@b>" }] as const;
  assert.equal(await engine.observe("mail.log", POSITION, seen), true);
  assert.deepEqual(columnOf(db, DETAILS), ["anna@example.test by root", "queue_id=72CED1EABE5 message_id=<a@b>"]);
  assert.equal(db.prepare("SELECT count(*) AS n FROM log_position").get()?.["n"], 1);
});

for (const step of ["begin", "append", "commit"] as const)
  test(`a change that cannot be recorded because of ${step} is reported as failed, and is stored nowhere`, async () => {
    const { engine, store, db, clock, notices, lost } = engineOnMemory();
    store.failing = step;
    const audited = engine.audit({ type: "ACCOUNT_ADDED", subject: "anna@example.test", by: "root" });
    const seen = [{ type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<a@b>" }] as const;
    const observed = engine.observe("mail.log", POSITION, seen);
    assert.deepEqual([await audited, await observed], [false, false]);
    assert.equal(notices.raised.get("database_unwritable"), "database or disk is full");
    assert.match(String(lost[0]), /disk is full/, "for the maintenance of the database");
    assert.equal(engine.lastEventId, 0);
    store.failing = null;
    clock.advance(SECOND_MS);
    assert.equal(await engine.observe("mail.log", POSITION, seen), true);
    assert.equal(columnOf(db, DETAILS).length, 1);
  });

test("after a failed write the database is not used for a second, even if the clock was set back a little", async () => {
  const { engine, store, clock } = engineOnMemory();
  store.failing = "begin";
  await engine.ask(CONNECT);
  store.failing = null;
  const reason = async (byMs: number): Promise<string> => {
    clock.advance(byMs);
    return (await engine.ask(CONNECT)).reason;
  };
  assert.equal(await reason(999), "not_recorded");
  assert.equal(await reason(-1_998), "not_recorded");
  assert.equal(await reason(-1), "below_limit", "further back it would wait forever");
});

test("memory is a copy: an address is read once, and again only after a lost transaction", async (t) => {
  const { engine, sqlite, store, clock } = engineOnMemory();
  const [read, lists] = [t.mock.method(sqlite, "address"), t.mock.method(sqlite, "allowEntries")];
  engine.setPolicy(TEST_POLICY);
  for (let i = 0; i < 3; i++) {
    await engine.ask(CONNECT);
    engine.commit();
  }
  assert.deepEqual([read.mock.callCount(), lists.mock.callCount()], [1, 1]);
  store.failing = "commit";
  await engine.ask(CONNECT);
  engine.commit();
  store.failing = null;
  clock.advance(SECOND_MS);
  await engine.ask(CONNECT);
  assert.equal(read.mock.callCount(), 2);
});

test("an address whose listing was not committed is not protected", async () => {
  const { engine, store, clock } = engineOnMemory();
  store.failing = "commit";
  await engine.ask({ type: "ALLOW_ASKED", prefix: PREFIX, note: "", durationMs: null, by: "root" });
  engine.commit();
  store.failing = null;
  clock.advance(SECOND_MS);
  await engine.ask(CONNECT);
  assert.equal(engine.isProtected(STRANGER), false);
});

test("events at an address whose ban has expired end the ban first, as the expirer would", async () => {
  const { engine, clock, db } = engineOnMemory();
  await engine.ask({ type: "BAN_ASKED", prefix: PREFIX, note: "", durationMs: HOUR_MS, by: "root" });
  clock.advance(HOUR_MS - 1);
  assert.equal((await engine.ask(CONNECT)).reason, "banned");
  clock.advance(1);
  assert.equal((await engine.ask(CONNECT)).reason, "below_limit");
  const types = ["BAN", "CONNECT_REFUSED", "BAN_EXPIRED", "CONNECT"];
  assert.deepEqual(columnOf(db, "SELECT type FROM event ORDER BY id"), types);
});

test("a protected address needs no lookups", async () => {
  const { engine } = engineOnMemory(undefined, [{ prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" }]);
  await engine.ask(CONNECT);
  assert.equal(engine.isProtected(ip("203.0.113.1")), true);
  assert.equal(engine.isProtected(STRANGER), false);
  assert.equal(engine.prefixOf(ip("2001:db8:0:1::7")), "2001:db8:0:1::/64");
});

test("if the database cannot even be read, no list is asked and everything passes", async (t) => {
  const { engine, sqlite, store } = engineOnMemory();
  t.mock.method(sqlite, "address", () => {
    throw new Error("disk I/O error");
  });
  assert.equal(engine.isProtected(STRANGER), true);
  store.failing = "begin";
  assert.equal((await engine.ask(CONNECT)).reason, "not_recorded");
  const command = { type: "UNBAN_ASKED", prefix: PREFIX, by: "root" } as const;
  assert.equal((await engine.ask(command)).reason, "not_recorded");
});

test("a changed policy reads protection and windows again from the next event on", async () => {
  const { engine } = engineOnMemory();
  await engine.ask(CONNECT);
  assert.equal(engine.isProtected(STRANGER), false);
  engine.setPolicy({ ...engine.policy, allow: [PREFIX] });
  assert.equal(engine.isProtected(STRANGER), true);
  assert.equal((await engine.ask(CONNECT)).reason, "allow_listed");
});
