import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../../core/time.ts";
import { createClockSetBack } from "./clock-set-back.ts";

function kit(failing: string | null = null, isThrown = false) {
  const time = { wallMs: DAY_MS, elapsedMs: 0 };
  const done: string[] = [];
  const said: string[] = [];
  const look = createClockSetBack({
    wall: () => time.wallMs,
    elapsed: () => time.elapsedMs,
    reload: (service) => {
      done.push(service);
      return isThrown ? Promise.reject(new Error(failing ?? "")) : Promise.resolve(failing);
    },
    flush: () => {
      done.push("flush");
      if (isThrown) return Promise.reject(new Error(failing ?? ""));
      return Promise.resolve(failing === null ? { ok: true } : { ok: false, reason: failing });
    },
    say: (what) => said.push(what),
  });
  return { time, look, done, said };
}

test("a clock that runs, is set ahead or is corrected needs nothing", async () => {
  const { time, look, done } = kit();
  for (const [wallMs, elapsedMs] of [
    [SECOND_MS, SECOND_MS],
    [DAY_MS, SECOND_MS],
    [-29 * SECOND_MS, 0],
  ] as const) {
    time.wallMs += wallMs;
    time.elapsedMs += elapsedMs;
    await look();
  }
  assert.deepEqual(done, []);
});

test("after the clock is set back, the resolver forgets its cache, and Postfix retries waiting mail, once", async () => {
  const { time, look, done, said } = kit();
  time.wallMs -= MINUTE_MS;
  await look();
  await look();
  assert.deepEqual(done, ["unbound", "dovecot", "postfix", "flush"]);
  assert.deepEqual(said, ["the machine's clock was set back by 60 s: every deferred mail is being retried."]);
});

test("a failure is logged, and the other steps still run", async () => {
  for (const isThrown of [false, true]) {
    const { time, look, done, said } = kit("it does not run", isThrown);
    time.wallMs -= DAY_MS;
    await look();
    assert.deepEqual(done, ["unbound", "dovecot", "postfix", "flush"]);
    assert.match(said[0] ?? "", /by 86400 s: it does not run; it does not run; it does not run; it does not run\.$/);
  }
});
