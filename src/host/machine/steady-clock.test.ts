// Invariant: A clock that is wrong for a minute changes nothing: a jump is trusted after five minutes, a clock that keeps moving after fifteen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { createSteadyClock } from "./clock.ts";

const START_MS = Date.UTC(2026, 10, 21);

/** A machine whose clocks the test sets. */
class Machine {
  wallMs = START_MS;
  elapsedMs = 5_000;
  sinceBootMs: number | null = 5_000;
  /** How long it sleeps before each read of its time since boot, when its wall clock has been read already. */
  readonly sleepsMs: number[] = [];
  readonly clock = createSteadyClock({
    wall: () => this.wallMs,
    elapsed: () => this.elapsedMs,
    sinceBoot: () => {
      this.sleep(this.sleepsMs.shift() ?? 0);
      return this.sinceBootMs;
    },
  });

  pass(byMs: number): void {
    this.wallMs += byMs;
    this.elapsedMs += byMs;
    if (this.sinceBootMs !== null) this.sinceBootMs += byMs;
  }

  sleep(byMs: number): void {
    this.wallMs += byMs;
    if (this.sinceBootMs !== null) this.sinceBootMs += byMs;
  }

  /** Milliseconds since the start, by the steady clock. */
  get at(): number {
    return this.clock.now() - START_MS;
  }
}

test("the clock shows the machine's time, and follows small corrections at once", () => {
  const machine = new Machine();
  machine.pass(MINUTE_MS);
  assert.equal(machine.at, MINUTE_MS);
  for (const byMs of [9_000, -9_000, -9_000]) {
    machine.wallMs += byMs;
    assert.equal(machine.clock.now(), machine.wallMs);
    assert.equal(machine.clock.jump(), null);
  }
});

for (const byMs of [DAY_MS, -DAY_MS, 11 * SECOND_MS, -11 * SECOND_MS]) {
  test(`a jump by ${byMs / SECOND_MS} s that is undone within minutes changes nothing`, () => {
    const machine = new Machine();
    machine.wallMs += byMs;
    const jump = machine.clock.jump();
    assert.deepEqual(jump, { byMs, since: START_MS, acceptedAt: START_MS + 5 * MINUTE_MS });
    for (let second = 1; second <= 60; second++) {
      machine.pass(SECOND_MS);
      assert.equal(machine.at, second * SECOND_MS);
    }
    assert.deepEqual(machine.clock.jump(), jump);
    machine.wallMs -= byMs;
    assert.equal(machine.at, MINUTE_MS);
    assert.equal(machine.clock.jump(), null);
    assert.equal(machine.clock.accepted(), 0);
  });

  test(`a jump by ${byMs / SECOND_MS} s that stays is trusted after five minutes`, () => {
    const machine = new Machine();
    machine.wallMs += byMs;
    assert.notEqual(machine.clock.jump(), null);
    machine.pass(5 * MINUTE_MS - 1);
    assert.equal(machine.at, 5 * MINUTE_MS - 1);
    machine.pass(1);
    assert.equal(machine.clock.now(), machine.wallMs);
    assert.equal(machine.clock.jump(), null);
    assert.equal(machine.clock.accepted(), 1);
  });
}

test("a second jump restarts the wait", () => {
  const machine = new Machine();
  machine.wallMs += DAY_MS;
  assert.equal(machine.at, 0);
  machine.pass(4 * MINUTE_MS);
  machine.wallMs -= 2 * DAY_MS;
  assert.deepEqual(machine.clock.jump()?.byMs, -DAY_MS);
  machine.pass(4 * MINUTE_MS);
  assert.equal(machine.at, 8 * MINUTE_MS);
  machine.pass(MINUTE_MS);
  assert.equal(machine.clock.now(), machine.wallMs);
});

test("after a sleep the machine's clock is right, and is followed at once", () => {
  const machine = new Machine();
  machine.pass(HOUR_MS);
  machine.sleep(8 * HOUR_MS);
  assert.equal(machine.at, 9 * HOUR_MS);
  assert.equal(machine.clock.jump(), null);
  machine.sleep(HOUR_MS);
  machine.wallMs += DAY_MS;
  assert.equal(machine.clock.jump()?.byMs, DAY_MS + HOUR_MS, "the clock was set while the machine slept");
});

for (const reads of [0, 1, 2, 3])
  test(`after a sleep while the clocks are read, the machine's clock is followed soon, after ${reads} reads`, () => {
    const machine = new Machine();
    machine.sleepsMs.push(...Array.from({ length: reads }, () => 0), HOUR_MS);
    for (let times = 0; times < 4; times++) {
      machine.sleep(HOUR_MS);
      void machine.at;
    }
    assert.equal(machine.clock.now(), machine.wallMs);
    assert.equal(machine.clock.accepted(), 0);
  });

test("a clock that is corrected after the machine slept is followed at once", () => {
  const machine = new Machine();
  machine.sleep(HOUR_MS);
  machine.wallMs += DAY_MS;
  assert.equal(machine.at, 0);
  machine.wallMs -= DAY_MS;
  assert.equal(machine.at, HOUR_MS);
});

test("without a time since boot every jump waits", () => {
  const machine = new Machine();
  machine.sinceBootMs = null;
  machine.sleep(HOUR_MS);
  assert.equal(machine.clock.jump()?.byMs, HOUR_MS);
});

test("the machine's own clocks agree", () => {
  const clock = createSteadyClock();
  assert.ok(Math.abs(clock.now() - Date.now()) < SECOND_MS);
  assert.equal(clock.jump(), null);
});

test("a clock that keeps moving is trusted after a quarter of an hour", () => {
  const machine = new Machine();
  const untrusted = (minutes: number): void => {
    for (let second = 0; second < minutes * 60; second += 30) {
      machine.wallMs += 15 * SECOND_MS;
      assert.notEqual(machine.clock.jump(), null);
      machine.pass(30 * SECOND_MS);
    }
  };
  untrusted(14);
  assert.equal(machine.at, 14 * MINUTE_MS);
  machine.wallMs -= 28 * 15 * SECOND_MS;
  assert.equal(machine.clock.jump(), null, "it came back");
  untrusted(14);
  assert.equal(machine.clock.jump()?.acceptedAt, START_MS + 29 * MINUTE_MS);
  machine.pass(MINUTE_MS);
  assert.equal(machine.clock.now(), machine.wallMs);
  assert.equal(machine.clock.accepted(), 1);
});

test("many short sleeps do not hide a long one", () => {
  const machine = new Machine();
  for (let i = 0; i < 10; i++) {
    machine.sleep(5 * SECOND_MS);
    assert.equal(machine.clock.jump(), null);
    machine.pass(MINUTE_MS);
  }
  machine.sleep(HOUR_MS);
  assert.equal(machine.clock.jump(), null);
});
