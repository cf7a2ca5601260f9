import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { MAIL } from "../../../test/kit/samples.ts";
import { HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import { runReplay } from "./run-replay.ts";

const MAILS = 40;

test("if events are omitted, the first of the others fill the windows, and the report says so", async () => {
  const { engine, db, clock } = engineOnMemory();
  const from = clock.now();
  for (let i = 0; i < MAILS; i++) {
    const decided = engine.ask({ type: "DATA", recipientCount: 1, ...MAIL });
    engine.flush();
    await decided;
    clock.advance(MINUTE_MS);
  }
  const policy = { ...TEST_POLICY, mail: [{ key: "limits.mail.per_hour", count: 5, windowMs: HOUR_MS }] };
  const asked = { policy, allowNow: [], proxies: [], since: later(from, -1), only: null, now: clock.now() };
  const whole = runReplay(db, { ...asked, mostEvents: 100_000 });
  assert.deepEqual([whole.events, whole.reach.cut, whole.reach.windowsFilled], [MAILS, false, true]);
  assert.equal(whole.differences + whole.unreached, MAILS - 5);

  const newest = runReplay(db, { ...asked, mostEvents: 20 });
  assert.deepEqual([newest.events, newest.reach.cut, newest.reach.windowsFilled], [10, true, false]);
  assert.equal(newest.differences + newest.unreached, 10, "every window had events");
});
