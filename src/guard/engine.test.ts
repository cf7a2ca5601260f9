import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guess, mail } from "../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { ip, net, STRANGER } from "../../test/kit/samples.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { LoginSucceeded } from "../core/events/login.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../core/time.ts";

test("the 11th mail within 60 seconds causes the light ban; each event sees the changes of earlier ones", async () => {
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

test("mail exactly at the limit never causes a ban", async () => {
  const { engine, clock } = engineOnMemory({ ...TEST_POLICY, mail: TEST_POLICY.mail.slice(0, 1) });
  for (let i = 0; i < 40; i++) {
    assert.equal((await engine.ask(mail())).verdict, "pass", `mail ${i + 1}`);
    clock.advance(6 * SECOND_MS);
  }
});

test("each repeated offence climbs the ladder, which is forgotten after the memory time", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  const offend = async (): Promise<string> => {
    for (let i = 0; i < 21; i++) await engine.ask(connect());
    const ban = sqlite.ban(net("203.0.113.7/32"));
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

test("if `permanent` is on, a permanent ban follows the last rung", async () => {
  const { engine, clock, sqlite } = engineOnMemory({ ...TEST_POLICY, bans: { ...TEST_POLICY.bans, permanent: true } });
  for (let offence = 0; offence < 4; offence++) {
    for (let i = 0; i < 21; i++) await engine.ask(connect());
    clock.advance(24 * HOUR_MS + 1);
  }
  const ban = sqlite.ban(net("203.0.113.7/32"));
  assert.deepEqual([ban?.level, ban?.expiresAt], ["permanent", null]);
});

test("neighbours in one IPv6 /64 count as one, in two /64s as two", async () => {
  const { engine } = engineOnMemory();
  for (let i = 1; i <= 21; i++) await engine.ask(connect(ip(`2001:db8:1:1::${i.toString(16)}`)));
  assert.equal((await engine.ask(connect(ip("2001:db8:1:1:ffff::1")))).reason, "banned");
  assert.equal((await engine.ask(connect(ip("2001:db8:1:2::1")))).verdict, "pass");
});

test("a network that contains something protected is judged address by address", async () => {
  const own = [{ prefix: net("2001:db8:1:1::10/128"), why: "own_address" as const }];
  const { engine, sqlite } = engineOnMemory(TEST_POLICY, own);
  for (let i = 0; i < 21; i++) await engine.ask(connect(ip("2001:db8:1:1::bad")));
  assert.equal(sqlite.ban(net("2001:db8:1:1::/64")), null);
  assert.equal(sqlite.ban(net("2001:db8:1:1::bad/128"))?.level, "light");
  for (let i = 0; i < 50; i++) assert.equal((await engine.ask(connect(ip("2001:db8:1:1::10")))).verdict, "pass");
});

test("a stale password repeated for a day is not an attack; five different ones are", async () => {
  const { engine, clock } = engineOnMemory();
  for (let i = 0; i <= 24 * 12; i++) {
    assert.notEqual((await engine.ask(guess("stale"))).verdict, "refuse");
    clock.advance(5 * MINUTE_MS);
  }
  const reasons: string[] = [];
  for (const password of ["a", "b", "c", "d", "e", "f"]) reasons.push((await engine.ask(guess(password))).reason);
  // The stale one counted once, a day ago.
  assert.deepEqual(reasons, [...Array.from({ length: 4 }, () => "below_limit"), "login_failures", "banned"]);
});

test("an address where an account signed in is slowed down, and refused at other accounts whose passwords it guesses", async () => {
  const { engine } = engineOnMemory();
  const signedIn: LoginSucceeded = { ...guess(""), type: "LOGIN_SUCCEEDED" };
  await engine.ask(signedIn);
  const verdicts: string[] = [];
  for (let i = 1; i <= 15; i++) verdicts.push((await engine.ask(guess(`password ${i}`))).verdict);
  for (let i = 16; i <= 30; i++)
    verdicts.push((await engine.ask({ ...guess(`password ${i}`), login: "bert@example.test" })).verdict);
  assert.equal(verdicts.join(" "), `${"pass ".repeat(4)}${"delay ".repeat(26).trimEnd()}`);
  const asked = { ...guess("another"), type: "LOGIN_ASKED" } as const;
  assert.equal((await engine.ask(asked)).reason, "known_address");
  assert.equal((await engine.ask({ ...asked, login: "bert@example.test" })).reason, "known_address_at_others");
});

test("an account over its limit is deferred, deferred mail does not count, and the mail is accepted later", async () => {
  const { engine, clock } = engineOnMemory();
  const send = (): Promise<Decision> => engine.ask(mail(STRANGER, "alice@example.test"));
  for (let i = 0; i < 10; i++) assert.equal((await send()).verdict, "pass");
  for (let i = 0; i < 30; i++) assert.equal((await send()).reason, "account_mail_limit");
  clock.advance(MINUTE_MS);
  assert.equal((await send()).verdict, "pass");
  assert.equal((await engine.ask(mail())).verdict, "pass", "the address has sent nothing as a stranger");
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
