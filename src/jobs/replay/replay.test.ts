import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { ip, MAIL, STRANGER } from "../../../test/kit/samples.ts";
import { ban, rowsOf, unban } from "../../../test/kit/test-database.ts";
import { HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import { settingKeys, settingOf } from "../../settings/schema.ts";
import { differenceOf } from "./comparison.ts";
import { recordedEvents } from "./recorded-events.ts";
import { recordedFacts } from "./recorded-facts.ts";
import { replay } from "./replay.ts";
import { copyMemory, openReplayHistory } from "./replay-history.ts";
import { runReplay } from "./run-replay.ts";
import { inOrder } from "./sequence.ts";

async function askAboutMail(engine: ReturnType<typeof engineOnMemory>["engine"]): Promise<void> {
  const decided = engine.ask({ type: "DATA", recipientCount: 1, ...MAIL });
  engine.commit();
  await decided;
}

test("a replay that starts in the middle knows the bans from before it", async () => {
  const { engine, db, clock } = engineOnMemory();
  for (let i = 0; i < 12; i++) await askAboutMail(engine);
  clock.advance(1_000);
  const middle = clock.now();
  const recorded = recordedEvents(db);
  const first = recorded.last() + 1;
  await askAboutMail(engine);
  assert.equal(recorded.firstSince(middle), first);
  assert.equal(recorded.firstReadable(first), middle);
  assert.equal(recorded.summedUpTo(), null);
  for (const from of [db, null]) {
    const history = openReplayHistory(from, middle);
    const steps = inOrder(recorded.between(first, recorded.last()));
    const [only, ...others] = replay({ policy: TEST_POLICY, allowNow: [], own: [], history }, steps);
    assert.ok(only !== undefined && others.length === 0);
    assert.equal(differenceOf(only) === null, from !== null, JSON.stringify(only));
    history.prune(later(middle, 1));
    history.close();
  }
});

test("wrong passwords of the week before count in a replay too", async () => {
  const { engine, db, clock } = engineOnMemory();
  const who = { type: "LOGIN_FAILED", ip: STRANGER, service: "imap", login: "anna@example.test" } as const;
  const guess = (passwordHash: string) => engine.ask({ ...who, passwordHash });
  for (let i = 0; i < 19; i++) {
    clock.advance(7 * HOUR_MS);
    await guess(`guess ${i}`);
  }
  clock.advance(7 * HOUR_MS);
  const start = clock.now();
  const recorded = recordedEvents(db);
  const first = recorded.last() + 1;
  assert.equal((await guess("the 20th")).reason, "slow_guessing");
  const history = openReplayHistory(db, start);
  const steps = inOrder(recorded.between(first, recorded.last()));
  for (const one of replay({ policy: TEST_POLICY, allowNow: [], own: [], history }, steps))
    assert.equal(differenceOf(one), null);
  history.close();
});

test("a guess that was tried again after the start has its time from before", async () => {
  const { engine, db, clock } = engineOnMemory();
  const guess = async (from: string, login: string, passwordHash: string): Promise<void> => {
    clock.advance(1_000);
    await engine.ask({ type: "LOGIN_FAILED", ip: ip(from), service: "imap", login, passwordHash });
  };
  const rows = (of: DatabaseSync) => rowsOf(of, "SELECT account, network, proof, at FROM guess ORDER BY proof");
  await guess("198.51.100.1", "Anna@example.test", "a");
  await guess("198.51.100.2", "anna@example.test", "b");
  await guess("198.51.100.3", "anna@example.test", "a");
  await guess("2001:db8:1::1", "bert@example.test", "c");
  const start = later(clock.now(), 1);
  const before = rows(db);
  await guess("198.51.100.4", "anna@example.test", "a");
  await guess("2001:db8:1:7::1", "bert@example.test", "c");
  await guess("203.0.113.1", "anna@example.test", "b");
  await guess("203.0.113.1", "anna@example.test", "d");
  assert.equal(rows(db).length, 5);
  const { db: copy } = engineOnMemory();
  copyMemory(db, copy, start);
  assert.deepEqual(rows(copy), before);
});

test("bans that started later are not copied", () => {
  const [{ db, clock }, { db: copy }] = [engineOnMemory(), engineOnMemory()];
  const known = db.prepare("INSERT INTO known_address (prefix, account, first_at, last_at) VALUES (?, ?, ?, ?)");
  const now = clock.now();
  known.run("198.51.100.1/32", "anna@example.test", now - 5, now + 5);
  known.run("198.51.100.2/32", "anna@example.test", now, now);
  copyMemory(db, copy, now);
  assert.deepEqual(rowsOf(copy, "SELECT prefix, last_at FROM known_address"), [["198.51.100.1/32", now - 1]]);
});

test("what the owner forgave or dropped before the start stays forgiven or dropped", async () => {
  const [{ engine, db, sqlite, clock }, { db: copy }] = [engineOnMemory(), engineOnMemory()];
  const guess = (passwordHash: string) =>
    engine.ask({ type: "LOGIN_FAILED", ip: STRANGER, service: "imap", login: "anna@example.test", passwordHash });
  await guess("forgiven");
  ban(sqlite, `${STRANGER}/32`, clock.now());
  unban(sqlite, `${STRANGER}/32`, clock.now());
  await guess("later");
  db.exec(
    "INSERT INTO account_hold VALUES ('anna@example.test', 1, '192.0.2.1/32', '192.0.2.1', 1, 1, 1, NULL, 2, 'k')",
  );
  clock.advance(MINUTE_MS);
  copyMemory(db, copy, clock.now());
  assert.deepEqual(rowsOf(copy, "SELECT proof FROM event"), [["later"]]);
  assert.deepEqual(rowsOf(copy, "SELECT dropped_at FROM account_hold"), [[2]]);
});

test("no setting makes a window longer than a week, the time that a replay keeps events", () => {
  const windows = settingKeys().filter((key) => /\.(?:window|findtime)$/.test(key));
  assert.ok(windows.length > 10, windows.join());
  for (const key of windows) {
    assert.ok(settingOf(key).kind.read("7d").ok, key);
    assert.ok(!settingOf(key).kind.read("169h").ok, key);
  }
});

test("facts from outside hold until the next record has others", () => {
  const history = openReplayHistory(null, later(engineOnMemory().clock.now(), 0));
  const facts = recordedFacts({ history, policy: TEST_POLICY, own: [], allowNow: [] });
  const { own, recipients, bansInForce: reported } = facts.ports;
  const event = { type: "CONNECT", ip: STRANGER, service: "smtp", session: "1", clientName: null } as const;
  assert.equal(facts.learn(event, { protection: "gateway", recipient: "unknown" }), true);
  assert.deepEqual(own.current(), [{ prefix: `${STRANGER}/32`, why: "gateway" }]);
  assert.equal(recipients.exists(), false);
  assert.equal(facts.learn(event, {}), true);
  assert.deepEqual(own.current(), []);
  assert.equal(recipients.exists(), true);
  assert.equal(facts.learn(event, { protection: "allow_listed" }), true);
  assert.equal(reported.allowEntries().length, 1);
  assert.equal(facts.learn(event, { protection: "allow_listed" }), false);
  history.close();
});

test("if events are omitted, the first of the others fill the windows, and the report says so", async () => {
  const { engine, db, clock } = engineOnMemory();
  const from = clock.now();
  for (let i = 0; i < 40; i++) {
    await askAboutMail(engine);
    clock.advance(MINUTE_MS);
  }
  const policy = { ...TEST_POLICY, mail: [{ key: "limits.mail.per_hour", count: 5, windowMs: HOUR_MS }] };
  const asked = { policy, allowNow: [], proxies: [], since: later(from, -1), only: null, now: clock.now() };
  const whole = runReplay(db, { ...asked, mostEvents: 100_000 });
  assert.deepEqual([whole.events, whole.reach.cut, whole.reach.windowsFilled], [40, false, true]);
  assert.equal(whole.differences + whole.unreached, 40 - 5);

  const newest = runReplay(db, { ...asked, mostEvents: 20 });
  assert.deepEqual([newest.events, newest.reach.cut, newest.reach.windowsFilled], [10, true, false]);
  assert.equal(newest.differences + newest.unreached, 10, "every window had events");
});
