import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, mail } from "../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { ip, net } from "../../test/kit/samples.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../core/time.ts";

// The rules themselves are in test/scenarios. These are the cases that a scenario cannot state.

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

test("a network that contains something protected is judged address by address", async () => {
  const own = [{ prefix: net("2001:db8:1:1::10/128"), why: "own_address" as const }];
  const { engine, sqlite } = engineOnMemory(TEST_POLICY, own);
  for (let i = 0; i < 21; i++) await engine.ask(connect(ip("2001:db8:1:1::bad")));
  assert.equal(sqlite.ban(net("2001:db8:1:1::/64")), null);
  assert.equal(sqlite.ban(net("2001:db8:1:1::bad/128"))?.level, "light");
  for (let i = 0; i < 50; i++) assert.equal((await engine.ask(connect(ip("2001:db8:1:1::10")))).verdict, "pass");
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

test("a banned network applies to every address in it", async () => {
  const { engine } = engineOnMemory();
  await engine.ask(connect());
  await engine.ask({ type: "BAN_ASKED", prefix: net("203.0.113.0/24"), note: "", durationMs: null, by: "root" });
  assert.equal((await engine.ask(connect())).reason, "banned");
  await engine.ask({ type: "UNBAN_ASKED", prefix: net("203.0.113.0/24"), by: "root" });
  assert.equal((await engine.ask(connect())).verdict, "pass");
});

test("a new policy applies from the next event on", async () => {
  const { engine } = engineOnMemory();
  for (let i = 0; i < 5; i++) await engine.ask(mail());
  engine.setPolicy({ ...TEST_POLICY, mail: [{ key: "limits.mail.per_minute", count: 5, windowMs: MINUTE_MS }] });
  assert.equal((await engine.ask(mail())).reason, "mail_limit");
});
