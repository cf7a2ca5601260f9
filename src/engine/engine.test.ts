import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Connect } from "../core/events/connection.ts";
import type { Event } from "../core/events/event.ts";
import type { LoginFailed, LoginSucceeded } from "../core/events/login.ts";
import type { Mail, Message, Recipient } from "../core/events/mail.ts";
import { type Ip, type Prefix, parseIp, parsePrefix } from "../core/net/ip.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../core/time.ts";

const STRANGER = ip("203.0.113.7");

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== null);
  return parsed;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null);
  return parsed;
}

const connect = (from: Ip = STRANGER): Connect => ({
  type: "CONNECT",
  ip: from,
  service: "smtp",
  session: `${from} 40000`,
  clientName: null,
});
const mail = (from: Ip = STRANGER, account: string | null = null): Mail => ({
  type: "MAIL",
  ip: from,
  service: account === null ? "smtp" : "submission",
  session: `${from} 40000`,
  clientName: null,
  helo: "mx.sender.test",
  sender: "bob@sender.test",
  recipient: "alice@example.test",
  account,
  queueId: "4ABC",
  transaction: "a1.1",
  recipientCount: 1,
});
const recipient = (): Recipient => ({ ...mail(), type: "RECIPIENT", listed: null, senderExists: true });
const message = (): Message => ({ ...mail(), type: "MESSAGE", sizeBytes: 100 });
const guess = (password: string, from: Ip = STRANGER): LoginFailed => ({
  type: "LOGIN_FAILED",
  ip: from,
  service: "imap",
  login: "alice@example.test",
  passwordHash: password,
});

/** What had been committed when each of these was answered, and what has been once all were. */
async function commitsAtAnswers(events: readonly Event[]): Promise<Readonly<{ seen: readonly number[]; all: number }>> {
  const { engine, committed } = engineOnMemory();
  const seen: number[] = [];
  const answered = events.map(
    (event) => new Promise<void>((resolve) => engine.submit(event, () => resolve(void seen.push(committed.length)))),
  );
  await Promise.all(answered);
  return { seen, all: committed.length };
}

test("a pass on the way is answered at once; what takes the mail waits for the one commit of it all", async () => {
  const on = [connect(), recipient(), mail()];
  assert.deepEqual(await commitsAtAnswers([...on, message()]), { seen: [0, 0, 0, 1], all: 1 });
  assert.deepEqual(await commitsAtAnswers([message(), connect()]), { seen: [0, 1], all: 1 });
});

test("who is refused, deferred, slowed down or let in waits for the commit", async () => {
  const many = Array.from({ length: 21 }, () => connect());
  const { seen } = await commitsAtAnswers(many);
  assert.deepEqual(seen, [...Array.from({ length: 20 }, () => 0), 1], "the 21st brings a ban");
  const login = { ...guess(""), type: "LOGIN_SUCCEEDED" } as const;
  const ask: Event = { type: "BAN_ASKED", prefix: prefix("203.0.113.9"), note: "", durationMs: null, by: "root" };
  for (const event of [guess("x"), login, ask]) assert.deepEqual((await commitsAtAnswers([event])).seen, [1]);
  const deferred = Array.from({ length: 11 }, () => mail(STRANGER, "alice@example.test"));
  assert.deepEqual((await commitsAtAnswers(deferred)).seen, [...Array.from({ length: 10 }, () => 0), 1]);
});

test("a pass that nothing follows is committed within milliseconds all the same", async () => {
  const { engine, committed, db } = engineOnMemory();
  const from = performance.now();
  for (let round = 1; round <= 3; round++) {
    await engine.ask(connect());
    assert.equal(committed.length, round - 1);
    while (committed.length < round) {
      assert.ok(performance.now() - from < 10_000);
      await pause(1);
    }
  }
  assert.equal(db.prepare("SELECT count(*) AS n FROM event").get()?.["n"], 3);
  assert.equal(db.isTransaction, false);
});

test("the 11th mail in any 60 seconds brings the light ban; what one event changed the next one sees", async () => {
  const { engine, clock } = engineOnMemory();
  const verdicts: string[] = [];
  for (let i = 0; i < 10; i++) {
    verdicts.push((await engine.ask(mail())).verdict);
    clock.advance(5 * SECOND_MS);
  }
  clock.advance(9 * SECOND_MS); // 59 s after the first
  const [eleventh, twelfth] = await Promise.all([engine.ask(mail()), engine.ask(mail())]);
  assert.deepEqual(new Set(verdicts), new Set(["pass"]));
  assert.equal(eleventh.reason, "mail_limit");
  assert.deepEqual(eleventh.evidence, { count: 11, limit: 10, windowMs: MINUTE_MS, key: "limits.mail.per_minute" });
  assert.equal(twelfth.reason, "banned");
});

test("mail at the very pace of the limit never brings a ban", async () => {
  const { engine, clock } = engineOnMemory({ ...TEST_POLICY, mail: TEST_POLICY.mail.slice(0, 1) });
  for (let i = 0; i < 40; i++) {
    assert.equal((await engine.ask(mail())).verdict, "pass", `mail ${i + 1}`);
    clock.advance(6 * SECOND_MS);
  }
});

test("the ladder is climbed by whoever comes back, and forgotten after the memory", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  const offend = async (): Promise<string> => {
    for (let i = 0; i < 21; i++) await engine.ask(connect());
    const ban = sqlite.ban(prefix("203.0.113.7/32"));
    assert.ok(ban !== null && ban.expiresAt !== null);
    const lengthMs = ban.expiresAt - ban.createdAt;
    clock.advance(lengthMs + 1);
    return `${ban.level} ${lengthMs / MINUTE_MS}m offence ${ban.offences}`;
  };
  assert.equal(await offend(), "light 30m offence 1");
  assert.equal(await offend(), "medium 120m offence 2");
  assert.equal(await offend(), "heavy 1440m offence 3");
  assert.equal(await offend(), "heavy 1440m offence 4");
  clock.advance(7 * 24 * HOUR_MS);
  assert.equal(await offend(), "light 30m offence 1");
});

test("permanent, where it is on, follows the last rung", async () => {
  const { engine, clock, sqlite } = engineOnMemory({ ...TEST_POLICY, bans: { ...TEST_POLICY.bans, permanent: true } });
  for (let offence = 0; offence < 4; offence++) {
    for (let i = 0; i < 21; i++) await engine.ask(connect());
    clock.advance(24 * HOUR_MS + 1);
  }
  const ban = sqlite.ban(prefix("203.0.113.7/32"));
  assert.deepEqual([ban?.level, ban?.expiresAt], ["permanent", null]);
});

test("neighbours in one IPv6 /64 are one, in two are two", async () => {
  const { engine } = engineOnMemory();
  for (let i = 1; i <= 21; i++) await engine.ask(connect(ip(`2001:db8:1:1::${i.toString(16)}`)));
  assert.equal((await engine.ask(connect(ip("2001:db8:1:1:ffff::1")))).reason, "banned");
  assert.equal((await engine.ask(connect(ip("2001:db8:1:2::1")))).verdict, "pass");
});

test("a network that holds something protected is judged address by address", async () => {
  const own = [{ prefix: prefix("2001:db8:1:1::10/128"), why: "own_address" as const }];
  const { engine, sqlite } = engineOnMemory(TEST_POLICY, own);
  for (let i = 0; i < 21; i++) await engine.ask(connect(ip("2001:db8:1:1::bad")));
  assert.equal(sqlite.ban(prefix("2001:db8:1:1::/64")), null);
  assert.equal(sqlite.ban(prefix("2001:db8:1:1::bad/128"))?.level, "light");
  for (let i = 0; i < 50; i++) assert.equal((await engine.ask(connect(ip("2001:db8:1:1::10")))).verdict, "pass");
});

test("a stale password repeated for a day is no attack; five different ones are", async () => {
  const { engine, clock } = engineOnMemory();
  for (let i = 0; i <= 24 * 12; i++) {
    assert.notEqual((await engine.ask(guess("stale"))).verdict, "refuse");
    clock.advance(5 * MINUTE_MS);
  }
  const reasons: string[] = [];
  for (const password of ["a", "b", "c", "d", "e"]) reasons.push((await engine.ask(guess(password))).reason);
  // The stale one still stands in the window, so it is the first of five.
  assert.deepEqual(reasons, ["below_limit", "below_limit", "below_limit", "login_failures", "banned"]);
});

test("an address from which an account signed in is slowed down, and banned for guesses at other accounts", async () => {
  const { engine } = engineOnMemory();
  const signedIn: LoginSucceeded = { ...guess(""), type: "LOGIN_SUCCEEDED" };
  await engine.ask(signedIn);
  const verdicts: string[] = [];
  for (let i = 1; i <= 15; i++) verdicts.push((await engine.ask(guess(`password ${i}`))).verdict);
  for (let i = 16; i <= 30; i++)
    verdicts.push((await engine.ask({ ...guess(`password ${i}`), login: "bert@example.test" })).verdict);
  assert.equal(verdicts.join(" "), `${"pass ".repeat(4)}${"delay ".repeat(25)}refuse`);
});

test("an account over its limit is deferred, what was deferred does not count, and it goes on in time", async () => {
  const { engine, clock } = engineOnMemory();
  const send = (): Promise<Decision> => engine.ask(mail(STRANGER, "alice@example.test"));
  for (let i = 0; i < 10; i++) assert.equal((await send()).verdict, "pass");
  for (let i = 0; i < 30; i++) assert.equal((await send()).reason, "account_mail_limit");
  clock.advance(MINUTE_MS);
  assert.equal((await send()).verdict, "pass");
  assert.equal((await engine.ask(mail())).verdict, "pass", "the address itself has sent nothing as a stranger");
});

test("a ban of the administrator is refused on what is protected and ends in time", async () => {
  const own = [{ prefix: prefix("203.0.113.1/32"), why: "gateway" as const }];
  const { engine, clock, sqlite } = engineOnMemory(TEST_POLICY, own);
  const ban = (target: string): Promise<Decision> =>
    engine.ask({ type: "BAN_ASKED", prefix: prefix(target), note: "test", durationMs: 1000, by: "root" });
  assert.equal((await ban("203.0.113.1")).reason, "gateway");
  assert.equal((await ban("203.0.113.0/24")).reason, "gateway", "nor a network around it");
  assert.equal((await ban("203.0.113.7")).verdict, "pass");
  assert.equal((await engine.ask(connect())).reason, "banned");
  clock.advance(1001);
  assert.equal((await engine.ask(connect())).verdict, "pass");
  assert.equal(sqlite.ban(prefix("203.0.113.7")), null);
});

test("a banned network holds for every address within", async () => {
  const { engine } = engineOnMemory();
  await engine.ask(connect());
  await engine.ask({ type: "BAN_ASKED", prefix: prefix("203.0.113.0/24"), note: "", durationMs: null, by: "root" });
  assert.equal((await engine.ask(connect())).reason, "banned");
  await engine.ask({ type: "UNBAN_ASKED", prefix: prefix("203.0.113.0/24"), by: "root" });
  assert.equal((await engine.ask(connect())).verdict, "pass");
});

test("an unban forgives: the next offence is the first, and old mails do not count again", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  for (let i = 0; i < 11; i++) await engine.ask(mail());
  clock.advance(10);
  await engine.ask({ type: "UNBAN_ASKED", prefix: prefix("203.0.113.7"), by: "root" });
  clock.advance(10);
  for (let i = 0; i < 10; i++) assert.equal((await engine.ask(mail())).verdict, "pass");
  await engine.ask(mail());
  assert.equal(sqlite.ban(prefix("203.0.113.7"))?.offences, 1);
});

test("an allow-list entry lifts the ban and holds from the next event on", async () => {
  const { engine } = engineOnMemory();
  for (let i = 0; i < 21; i++) await engine.ask(connect());
  await engine.ask({
    type: "ALLOW_ASKED",
    prefix: prefix("203.0.113.0/24"),
    note: "office",
    durationMs: null,
    by: "root",
  });
  for (let i = 0; i < 30; i++) assert.equal((await engine.ask(connect())).reason, "allow_listed");
  const refused = await engine.ask({
    type: "BAN_ASKED",
    prefix: prefix("203.0.113.7"),
    note: "",
    durationMs: null,
    by: "root",
  });
  assert.equal(refused.reason, "allow_listed");
});

for (const step of ["begin", "append", "commit"] as const) {
  test(`a database that fails at ${step}: mail goes on, bans hold, the owner is told, and it recovers`, async () => {
    const { engine, store, clock, notices, db } = engineOnMemory();
    const banned = ip("198.51.100.9");
    await engine.ask({ type: "BAN_ASKED", prefix: prefix(banned), note: "", durationMs: null, by: "root" });
    const before = db.prepare("SELECT count(*) AS n FROM event").get()?.["n"];

    store.failing = step;
    for (let i = 0; i < 30; i++) {
      assert.equal((await engine.ask(connect())).verdict, "pass");
      engine.flush();
    }
    assert.equal((await engine.ask(connect(banned))).reason, "banned");
    assert.ok(notices.raised.get("database_unwritable")?.includes("full"));
    assert.equal(db.prepare("SELECT count(*) AS n FROM event").get()?.["n"], before, "nothing half-written");
    assert.equal(await engine.audit({ type: "ACCOUNT_ADDED", subject: "x", by: "root" }), false);

    store.failing = null;
    clock.advance(1_001);
    assert.equal((await engine.ask(connect())).reason, "below_limit");
    engine.flush();
    assert.equal(notices.raised.size, 0);
  });
}

test("a new policy holds from the next event on", async () => {
  const { engine } = engineOnMemory();
  for (let i = 0; i < 5; i++) await engine.ask(mail());
  engine.setPolicy({ ...TEST_POLICY, mail: [{ key: "limits.mail.per_minute", count: 5, windowMs: MINUTE_MS }] });
  assert.equal((await engine.ask(mail())).reason, "mail_limit");
});

test("a clock set back an hour bans nobody innocent, frees nobody, and lets windows slide on", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  const other = { ...connect(), ip: ip("203.0.113.8") };
  for (let i = 0; i < 20; i++) await engine.ask(other);
  for (let i = 0; i < 21; i++) await engine.ask(connect());
  clock.advance(-HOUR_MS);
  assert.equal((await engine.ask(connect())).reason, "banned");
  for (let i = 0; i < 20; i++) assert.equal((await engine.ask(other)).verdict, "pass", `connection ${i}`);
  clock.advance(MINUTE_MS);
  assert.equal((await engine.ask(other)).verdict, "pass", "a minute later it begins anew");
  for (let i = 0; i < 20; i++) await engine.ask(other);
  assert.equal(sqlite.ban(prefix("203.0.113.8"))?.code, "connection_limit", "and who goes on is banned");
});
