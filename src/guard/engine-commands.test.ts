import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, mail } from "../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { net } from "../../test/kit/samples.ts";
import type { Decision } from "../core/decide/decision.ts";
import { MINUTE_MS } from "../core/time.ts";

test("a ban by the administrator is refused for protected networks, and expires", async () => {
  const own = [{ prefix: net("203.0.113.1/32"), why: "gateway" as const }];
  const { engine, clock, sqlite } = engineOnMemory(TEST_POLICY, own);
  const ban = (target: string): Promise<Decision> =>
    engine.ask({ type: "BAN_ASKED", prefix: net(target), note: "test", durationMs: 1000, by: "root" });
  assert.equal((await ban("203.0.113.1")).reason, "gateway");
  assert.equal((await ban("203.0.113.0/24")).reason, "gateway", "nor a network around it");
  assert.equal((await ban("203.0.113.7")).verdict, "pass");
  assert.equal((await engine.ask(connect())).reason, "banned");
  clock.advance(1001);
  assert.equal((await engine.ask(connect())).verdict, "pass");
  assert.equal(sqlite.ban(net("203.0.113.7")), null);
});

test("a banned network applies to every address in it", async () => {
  const { engine } = engineOnMemory();
  await engine.ask(connect());
  await engine.ask({ type: "BAN_ASKED", prefix: net("203.0.113.0/24"), note: "", durationMs: null, by: "root" });
  assert.equal((await engine.ask(connect())).reason, "banned");
  await engine.ask({ type: "UNBAN_ASKED", prefix: net("203.0.113.0/24"), by: "root" });
  assert.equal((await engine.ask(connect())).verdict, "pass");
});

test("an unban forgives: the next offence counts as the first, and old mails do not count again", async () => {
  const { engine, clock, sqlite } = engineOnMemory();
  for (let i = 0; i < 11; i++) await engine.ask(mail());
  clock.advance(10);
  await engine.ask({ type: "UNBAN_ASKED", prefix: net("203.0.113.7"), by: "root" });
  clock.advance(10);
  for (let i = 0; i < 10; i++) assert.equal((await engine.ask(mail())).verdict, "pass");
  await engine.ask(mail());
  assert.equal(sqlite.ban(net("203.0.113.7"))?.offences, 1);
});

test("an allow-list entry lifts the ban and applies from the next event on", async () => {
  const { engine } = engineOnMemory();
  for (let i = 0; i < 21; i++) await engine.ask(connect());
  await engine.ask({
    type: "ALLOW_ASKED",
    prefix: net("203.0.113.0/24"),
    note: "office",
    durationMs: null,
    by: "root",
  });
  for (let i = 0; i < 30; i++) assert.equal((await engine.ask(connect())).reason, "allow_listed");
  const refused = await engine.ask({
    type: "BAN_ASKED",
    prefix: net("203.0.113.7"),
    note: "",
    durationMs: null,
    by: "root",
  });
  assert.equal(refused.reason, "allow_listed");
});

test("a new policy applies from the next event on", async () => {
  const { engine } = engineOnMemory();
  for (let i = 0; i < 5; i++) await engine.ask(mail());
  engine.setPolicy({ ...TEST_POLICY, mail: [{ key: "limits.mail.per_minute", count: 5, windowMs: MINUTE_MS }] });
  assert.equal((await engine.ask(mail())).reason, "mail_limit");
});
