import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, instant, later } from "../../core/time.ts";
import { openEngine } from "../../store/open.ts";
import { createTrialThread } from "./trials.ts";

const NOW = instant(Date.UTC(2026, 10, 20));

function trialed(longestMs = 60_000, program?: URL) {
  const path = join(temporaryDirectory(), "engine.db");
  openEngine(path).close();
  const troubles: string[] = [];
  const thread = createTrialThread(path, (why) => troubles.push(why), longestMs, program);
  const since = later(NOW, -7 * DAY_MS);
  const asked = { policy: TEST_POLICY, allowNow: [], proxies: [], since, only: null, mostEvents: 50_000, now: NOW };
  return { path, thread, asked, troubles };
}

test("a trial returns the report of a replay, one at a time, and the next may start afterwards", async () => {
  const { thread, asked, troubles } = trialed();
  const first = thread.decide(asked);
  assert.deepEqual(await thread.decide(asked), { outcome: "busy" });
  const reported = await first;
  assert.ok(reported.outcome === "done", JSON.stringify(reported));
  assert.deepEqual([reported.report.events, reported.report.reach.firstEvent], [0, null]);
  assert.equal((await thread.decide({ ...asked, mostEvents: 10 })).outcome, "done");
  assert.deepEqual(troubles, []);
});

test("a trial that takes too long is given up, and blocks no other", async () => {
  const { thread, asked } = trialed(1);
  assert.deepEqual(await thread.decide(asked), { outcome: "too_long" });
  assert.deepEqual(await thread.decide(asked), { outcome: "too_long" });
  thread.stop();
});

test("a trial without a database is rejected as such", async () => {
  const { asked } = trialed();
  const thread = createTrialThread(join(temporaryDirectory(), "none.db"), () => undefined);
  await assert.rejects(thread.decide(asked), { name: "StoreDown" });
});

test("a failing thread is reported, and its trial is given up", async () => {
  const { thread, asked, troubles } = trialed(60_000, new URL("data:text/javascript,throw new Error('no memory')"));
  assert.deepEqual(await thread.decide(asked), { outcome: "too_long" });
  assert.deepEqual(troubles, ["no memory"]);
});
