import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import type { ComponentHealth } from "../../admin/declare/items.ts";
import { watchComponents } from "./health-watch.ts";

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
