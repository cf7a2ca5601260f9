// Invariant: No mail and no sign-in is accepted, and nothing is refused or deferred, before everything about it is committed (ADR 12). Without the database mail still flows, bans stay, and the owner is alerted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect, guess, mail, message, recipient } from "../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { patience } from "../../test/kit/patience.ts";
import { ip, net, STRANGER } from "../../test/kit/samples.ts";
import { scalarOf } from "../../test/kit/test-database.ts";
import type { Event } from "../core/events/event.ts";
import type { Engine } from "./engine.ts";

/** How much had been committed at each answer, and after all answers. */
async function commitsAtAnswers(events: readonly Event[]): Promise<Readonly<{ seen: readonly number[]; all: number }>> {
  const { engine, committed } = engineOnMemory();
  const seen: number[] = [];
  const answered = events.map(
    (event) => new Promise<void>((resolve) => engine.submit(event, () => resolve(void seen.push(committed.length)))),
  );
  await Promise.all(answered);
  return { seen, all: committed.length };
}

test("an intermediate pass is answered at once; accepting the mail waits for one commit of all events", async () => {
  const on = [connect(), recipient(), mail()];
  assert.deepEqual(await commitsAtAnswers([...on, message()]), { seen: [0, 0, 0, 1], all: 1 });
  assert.deepEqual(await commitsAtAnswers([message(), connect()]), { seen: [0, 1], all: 1 });
});

test("every verdict waits for the commit: refused, deferred, slowed and accepted", async () => {
  const many = Array.from({ length: 21 }, () => connect());
  const { seen } = await commitsAtAnswers(many);
  assert.deepEqual(seen, [...Array.from({ length: 20 }, () => 0), 1], "the 21st brings a ban");
  const login = { ...guess(""), type: "LOGIN_SUCCEEDED" } as const;
  const ask: Event = { type: "BAN_ASKED", prefix: net("203.0.113.9"), note: "", durationMs: null, by: "root" };
  for (const event of [guess("x"), login, ask]) assert.deepEqual((await commitsAtAnswers([event])).seen, [1]);
  const deferred = Array.from({ length: 11 }, () => mail(STRANGER, "alice@example.test"));
  assert.deepEqual((await commitsAtAnswers(deferred)).seen, [...Array.from({ length: 10 }, () => 0), 1]);
});

test("an intermediate pass is committed within milliseconds even if nothing follows", async () => {
  const { engine, committed, db } = engineOnMemory();
  const from = performance.now();
  for (let round = 1; round <= 3; round++) {
    await engine.ask(connect());
    assert.equal(committed.length, round - 1);
    while (committed.length < round) {
      assert.ok(performance.now() - from < patience(10_000));
      await pause(1);
    }
  }
  assert.equal(db.prepare("SELECT count(*) AS n FROM event").get()?.["n"], 3);
  assert.equal(db.isTransaction, false);
});

for (const step of ["begin", "append", "commit"] as const) {
  test(`a database that fails at ${step}: mail flows, bans hold, there is a notice, and it recovers`, async () => {
    const { engine, store, clock, notices, db } = engineOnMemory();
    const banned = ip("198.51.100.9");
    await engine.ask({ type: "BAN_ASKED", prefix: net(banned), note: "", durationMs: null, by: "root" });
    const before = db.prepare("SELECT count(*) AS n FROM event").get()?.["n"];

    store.failing = step;
    for (let i = 0; i < 30; i++) {
      assert.equal((await engine.ask(connect())).verdict, "pass");
      engine.commit();
    }
    assert.equal((await engine.ask(connect(banned))).reason, "banned");
    assert.ok(notices.raised.get("database_unwritable")?.includes("full"));
    assert.equal(db.prepare("SELECT count(*) AS n FROM event").get()?.["n"], before, "nothing half-written");

    store.failing = null;
    clock.advance(1_001);
    assert.equal((await engine.ask(mail(STRANGER, "alice@example.test"))).reason, "below_limit");
    engine.commit();
    assert.equal(notices.raised.size, 0);
  });
}

/** The last connection would be banned. */
async function connectTooOften(engine: Engine): Promise<void> {
  for (let i = 0; i < 21; i++) await engine.ask(connect());
}

const SIMULATING = { ...TEST_POLICY, simulate: true };
const SIMULATED = "SELECT count(*) FROM ban WHERE simulated = 1";

/** The end of a simulation with one ban, which fails at this step. `next`: another event, a second later. */
async function failedEnd(step: "begin" | "commit") {
  const { engine, store, clock, db } = engineOnMemory(SIMULATING);
  const next = async (): Promise<void> => {
    clock.advance(1_001);
    await engine.ask(connect(ip("198.51.100.9")));
    engine.commit();
  };
  await connectTooOften(engine);
  engine.commit();
  store.failing = step;
  engine.setPolicy(TEST_POLICY);
  await next();
  assert.equal(scalarOf(db, SIMULATED), 1);
  return { engine, store, db, next };
}

for (const step of ["begin", "commit"] as const)
  test(`a simulation whose end fails at ${step} ends with the next committed event`, async () => {
    const { engine, store, db, next } = await failedEnd(step);
    store.failing = null;
    await next();
    assert.equal(scalarOf(db, SIMULATED), 0);
    assert.notEqual((await engine.ask(connect())).reason, "banned");
  });

test("the first event after a simulation sees none of its bans, even in the same turn", async () => {
  const { engine, db, sqlite, notices } = engineOnMemory();
  engine.setPolicy(SIMULATING);
  assert.ok(notices.raised.has("simulating"));
  await connectTooOften(engine);
  engine.submit(connect(), () => {});
  engine.setPolicy(TEST_POLICY);
  assert.ok(!notices.raised.has("simulating"));
  assert.equal(engine.isProtected(STRANGER), false);
  await connectTooOften(engine);
  assert.equal(sqlite.ban(net(STRANGER))?.offences, 1);
  assert.equal(scalarOf(db, SIMULATED), 0);
});

test("a simulation whose end was not committed does not end", async () => {
  const { engine, store, db, next } = await failedEnd("commit");
  engine.setPolicy(SIMULATING);
  await next();
  store.failing = null;
  await next();
  assert.equal(scalarOf(db, SIMULATED), 1);
});
