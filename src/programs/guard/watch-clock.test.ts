import assert from "node:assert/strict";
import { test } from "node:test";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import type { Audit } from "../../core/events/command.ts";
import { DAY_MS, instant, later, MINUTE_MS } from "../../core/time.ts";
import type { Jump } from "../../host/machine/clock.ts";
import { ClockWatch } from "./watch-machine.ts";

const SINCE = instant(Date.UTC(2026, 10, 21, 6));

function jumpBy(byMs: number): Jump {
  return { byMs, since: SINCE, acceptedAt: later(SINCE, 5 * MINUTE_MS) };
}

function kit() {
  const state: { jump: Jump | null; accepted: number } = { jump: null, accepted: 0 };
  const recorded: Audit[] = [];
  const done = { restarts: 0, warned: 0 };
  const notices = new NoticeBoard();
  const watch = new ClockWatch({
    clock: {
      jump: () => state.jump,
      get accepted() {
        return state.accepted;
      },
    },
    engine: { audit: (audit) => Promise.resolve(audit !== null && recorded.push(audit) > 0) },
    notices,
    log: { info: assert.fail, warn: () => void (done.warned += 1), error: assert.fail },
    restart: () => void (done.restarts += 1),
  });
  return { state, watch, notices, done, subjects: () => recorded.map(({ subject }) => subject) };
}

test("a jump is reported with its end, recorded once, and cleared once the clock is back", () => {
  const { state, watch, notices, subjects, done } = kit();
  watch.look();
  assert.equal(notices.raised.size, 0);
  state.jump = jumpBy(DAY_MS);
  for (let i = 0; i < 3; i++) watch.look();
  assert.equal(
    notices.raised.get("clock_jumped"),
    "It was set ahead by 1d at 2026-11-21T06:00:00.000Z; the guard keeps using the old time until 2026-11-21T06:05:00.000Z. Try: timedatectl set-ntp true",
  );
  state.jump = jumpBy(-61_400);
  watch.look();
  assert.match(notices.raised.get("clock_jumped") ?? "", /^It was set back by 61s at /);
  state.jump = null;
  for (let i = 0; i < 3; i++) watch.look();
  assert.ok(!notices.raised.has("clock_jumped"));
  const set = "The machine's clock was set";
  assert.deepEqual(subjects(), [`${set} ahead by 1d`, `${set} back by 61s`, `${set} back by 61s, and it came back`]);
  assert.equal(done.restarts, 0);
});

for (const [byMs, restarts] of [
  [DAY_MS, 0],
  [-DAY_MS, 1],
] as const)
  test(`a jump by ${byMs} ms that is trusted restarts the guard ${restarts} times`, () => {
    const { state, watch, subjects, done } = kit();
    state.jump = jumpBy(byMs);
    watch.look();
    state.jump = null;
    state.accepted = 1;
    watch.look();
    assert.match(subjects()[1] ?? "", /(ahead|back) by 1d, and it is trusted now$/);
    assert.deepEqual(done, { restarts, warned: restarts });
  });
