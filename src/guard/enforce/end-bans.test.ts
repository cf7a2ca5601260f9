import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { net } from "../../../test/kit/samples.ts";
import { UNRECORDED_PASS } from "../../core/decide/unrecorded.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import { breakGlass, expireAllowed, expireBans } from "./end-bans.ts";

function network(i: number): Prefix {
  return net(`10.0.${i >> 8}.${i & 255}`);
}

async function banned(count: number, durationMs: number | null) {
  const kit = engineOnMemory();
  const asked = { note: "", durationMs, by: "root" };
  const all = Array.from({ length: count }, (_, i) => ({ type: "BAN_ASKED", prefix: network(i), ...asked }) as const);
  await Promise.all(all.map((each) => kit.engine.ask(each)));
  return kit;
}

test("bans end when they expire, however many, and permanent ones never", async () => {
  const { engine, banLog, clock } = await banned(1_001, MINUTE_MS);
  await engine.ask({ type: "BAN_ASKED", prefix: network(5_000), note: "", durationMs: null, by: "root" });
  clock.advance(MINUTE_MS - 1);
  assert.equal(await expireBans(engine, banLog, clock), 0);
  clock.advance(1);
  assert.equal(await expireBans(engine, banLog, clock), 1_001);
  clock.advance(1_000 * HOUR_MS);
  assert.equal(await expireBans(engine, banLog, clock), 0);
  assert.equal([...banLog.active(clock.now())].length, 1);
});

test("five hundred bans end in one turn", async (t) => {
  const { engine, banLog, clock } = await banned(501, MINUTE_MS);
  clock.advance(MINUTE_MS);
  const asked = t.mock.method(banLog, "expired");
  await expireBans(engine, banLog, clock);
  const ended = asked.mock.calls.map(({ result }) => result?.length);
  assert.deepEqual(ended, [500, 1]);
});

test("a database that cannot be written is not retried in a loop", async () => {
  const { engine, banLog, clock, store } = await banned(500, MINUTE_MS);
  clock.advance(MINUTE_MS);
  store.failing = "commit";
  assert.equal(await expireBans(engine, banLog, clock), 0);
});

test("allow entries end when they expire, and those without an end never", async () => {
  const { engine, sqlite, clock } = engineOnMemory();
  for (const [i, durationMs] of [MINUTE_MS, HOUR_MS, null].entries())
    await engine.ask({ type: "ALLOW_ASKED", prefix: network(i), note: "", durationMs, by: "root" });
  const left = async (byMs: number): Promise<number> => {
    clock.advance(byMs);
    await expireAllowed(engine, sqlite, clock);
    return sqlite.allowEntries().length;
  };
  assert.deepEqual([await left(MINUTE_MS - 1), await left(1), await left(HOUR_MS), await left(HOUR_MS)], [3, 2, 1, 1]);
});

test("break-glass lifts every ban, over several rounds, and the record says who did it", async () => {
  const lifted = LIMITS.expiriesPerTurn + 7;
  const { engine, db, clock, banLog } = await banned(lifted, null);
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root (anna)"), { lifted, left: 0, isDone: true });
  assert.equal([...banLog.active(clock.now())].length, 0);
  const [row] = db.prepare("SELECT details FROM event WHERE type = 'BREAK_GLASS'").all();
  assert.equal(row?.["details"], `${lifted} of ${lifted} bans lifted by root (anna)`);
});

test("break-glass without a ban is recorded anyway", async () => {
  const { engine, db, clock, banLog } = await banned(0, null);
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root"), { lifted: 0, left: 0, isDone: true });
  assert.equal(db.prepare("SELECT 1 FROM event WHERE type = 'BREAK_GLASS'").all().length, 1);
});

test("break-glass reports a database that cannot be written", async () => {
  for (const bans of [2, 0]) {
    const { engine, clock, banLog, store } = await banned(bans, null);
    store.failing = "commit";
    assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root"), { lifted: 0, left: bans, isDone: false });
  }
});

test("break-glass is not done while a ban is left, even if its record was written", async (t) => {
  const { engine, clock, banLog } = await banned(1, null);
  t.mock.method(engine, "ask", () => Promise.resolve(UNRECORDED_PASS));
  assert.deepEqual(await breakGlass({ engine, banLog, clock }, "root"), { lifted: 0, left: 1, isDone: false });
});
