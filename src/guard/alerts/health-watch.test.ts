import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import type { ComponentHealth } from "../../admin/declare/items.ts";
import type { Log, Outcome } from "../ports.ts";
import { createHeartbeat, watchComponents } from "./health-watch.ts";

type State = { components: readonly ComponentHealth[]; asked: number; broken: boolean };
const state: State = { components: [], asked: 0, broken: false };
const clock = new HandClock();
const logged: unknown[] = [];
let watch: ReturnType<typeof watchComponents>;
beforeEachOf(import.meta.filename, () => {
  Object.assign(state, { components: [], asked: 0, broken: false });
  watch = watchComponents(
    () => {
      state.asked += 1;
      return state.broken ? Promise.reject(new Error("no keeper")) : Promise.resolve(state.components);
    },
    clock,
    { ...SILENT, error: (_, details) => void logged.push(details?.["why"]) },
  );
});
async function after(ms: number) {
  clock.advance(ms);
  await watch.look();
  return watch.holding();
}

const POSTFIX: ComponentHealth = { name: "postfix", status: "down", detail: "not running" };
const KEEPER: ComponentHealth = { name: "keeper", status: "ok", detail: "answering" };

test("components are asked about every four seconds", async () => {
  await after(0);
  await after(3_999);
  assert.equal(state.asked, 1);
  await after(1);
  assert.equal(state.asked, 2);
  await after(-4_000);
  assert.equal(state.asked, 3, "even if the clock was set back");
  await Promise.all([after(4_000), after(4_000)]);
  assert.equal(state.asked, 4, "one at a time");
});

test("a component is reported once it has been down for eight seconds, until it is up", async () => {
  state.components = [POSTFIX, { name: "dovecot", status: "degraded", detail: "slow" }];
  assert.deepEqual(await after(0), []);
  assert.deepEqual(await after(7_999), []);
  assert.deepEqual(await after(1), [{ code: "component_down", subject: "postfix", detail: "postfix: not running" }]);
  assert.equal((await after(-3_600_000)).length, 1, "even if the clock was set back");
  state.components = [{ ...POSTFIX, status: "ok" }];
  assert.deepEqual(await after(4_000), []);
});

test("a stopped keeper is reported under the name of its notice", async () => {
  state.components = [{ name: "keeper", status: "down", detail: "no answer" }];
  await after(0);
  assert.deepEqual(await after(8_000), [{ code: "keeper_unreachable", subject: "", detail: "no answer" }]);
});

test("if the state of the services is unknown, none is reported as down, and the log says why, once", async () => {
  state.components = [POSTFIX];
  await after(0);
  logged.length = 0;
  state.broken = true;
  for (const ms of [8_000, 4_000]) assert.deepEqual(await after(ms), []);
  assert.deepEqual(logged, ["no keeper"]);
});

test("a part that was reported as down stays so while the keeper does not answer, until it is up or not used", async () => {
  const reported = [{ code: "component_down", subject: "postfix", detail: "postfix: not running" }];
  const up = { ...POSTFIX, status: "ok" } as const;
  for (const ends of [[KEEPER, up], [up], [KEEPER]] as const) {
    state.components = [KEEPER, POSTFIX];
    for (let looks = 0; looks < 2; looks++) await after(4_000);
    assert.deepEqual(await after(4_000), reported);
    state.broken = true;
    for (let looks = 0; looks < 100; looks++) assert.deepEqual(await after(4_000), reported);
    state.broken = false;
    state.components = ends;
    assert.deepEqual(await after(4_000), []);
  }
});

test("a keeper that does not answer once does not restart the eight seconds", async () => {
  const web: ComponentHealth = { name: "web", status: "down", detail: "it keeps exiting" };
  state.components = [KEEPER, web];
  await after(0);
  state.components = [{ ...KEEPER, status: "down", detail: "did not answer" }];
  assert.deepEqual(await after(4_000), []);
  state.components = [KEEPER, web];
  assert.deepEqual(await after(4_000), [{ code: "component_down", subject: "web", detail: "web: it keeps exiting" }]);
  state.components = [KEEPER, { ...web, status: "ok" }];
  assert.deepEqual(await after(4_000), []);
  state.components = [KEEPER, web];
  assert.deepEqual(await after(4_000), [], "the eight seconds start again once it was up");
});

const ABSENT: Outcome = { ok: false, reason: "it answered 404" };

test("sends a heartbeat at its time while the server is healthy, and logs an absent watcher once until it answers", async () => {
  const warned: unknown[] = [];
  let beats = 0;
  let isWell = true;
  let outcome: Outcome = ABSENT;
  const watcher = { name: "heartbeat old", send: () => ((beats += 1), Promise.resolve(outcome)) };
  const log: Log = { ...SILENT, warn: (...what) => warned.push(what) };
  const heartbeat = createHeartbeat({ isWell: () => isWell, clock, log });
  const beatsAfter = async (ms: number, to: typeof watcher | null = watcher): Promise<number> => {
    clock.advance(ms);
    await heartbeat.round(to, 60_000);
    return beats;
  };
  assert.equal(await beatsAfter(0), 1);
  assert.equal(await beatsAfter(59_999), 1);
  assert.equal(await beatsAfter(1), 2);
  assert.equal(heartbeat.failing(watcher.name), null);
  assert.equal(await beatsAfter(-60_000), 3, "even if the clock was set back");
  assert.equal(heartbeat.failing(watcher.name), "it answered 404");
  assert.deepEqual(warned, [["The watcher of the heartbeat does not answer.", { why: "it answered 404" }]]);
  assert.equal(await beatsAfter(60_000, null), 3, "no watcher is set");
  isWell = false;
  assert.equal(await beatsAfter(60_000), 3);
  isWell = true;
  outcome = { ok: true };
  assert.equal(await beatsAfter(0), 4);
  assert.equal(heartbeat.failing(watcher.name), null);
  outcome = ABSENT;
  for (let n = 0; n < 3; n++) await beatsAfter(60_000);
  assert.equal(warned.length, 2);
  assert.equal(heartbeat.failing(watcher.name), "it answered 404");
  assert.equal(heartbeat.failing("heartbeat new"), null, "its address was just changed");
  assert.equal(await beatsAfter(1_000, { ...watcher, name: "heartbeat new" }), 8, "and it is asked at once");
  assert.equal(heartbeat.failing("heartbeat new"), null);
});
