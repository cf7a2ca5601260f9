import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBanLog } from "../../../test/kit/fake-firewall.ts";
import { net } from "../../../test/kit/samples.ts";
import { settled } from "../../../test/kit/until.ts";
import { ImapKicker, type ImapKickerParts } from "./cut-sessions.ts";

/** A ban table, and a keeper that records which sessions it was asked to close. */
function kit(answer: "ok" | "refuses" | "throws" = "ok") {
  const banLog = new MemoryBanLog();
  const kicked: string[] = [];
  const warned: string[] = [];
  let held: Promise<unknown> = Promise.resolve();
  const parts: ImapKickerParts = {
    banLog,
    keeper: {
      ask: (command) => {
        if (command.verb === "kick_network") kicked.push(command.prefix);
        if (answer === "throws") throw new Error("no keeper");
        return held.then(() => (answer === "ok" ? { ok: true, detail: "" } : { ok: false, reason: "doveadm failed" }));
      },
    },
    log: { info: assert.fail, warn: (message) => warned.push(message), error: assert.fail },
  };
  const kicker = new ImapKicker(parts);
  const ban = (address: string): void => banLog.add(net(address));
  /** The keeper answers only when the returned function is called. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { kicker, hold, start: () => new ImapKicker(parts), ban, banLog, kicked, warned };
}

test("closes the sessions of banned networks once, and none of lifted bans", async () => {
  const { kicker, ban, banLog, kicked } = kit();
  ban("203.0.113.7");
  banLog.delete(net("203.0.113.8"));
  kicker.nudge(true);
  await settled();
  kicker.nudge(true);
  await settled();
  assert.deepEqual(kicked, ["203.0.113.7/32"]);
});

test("sessions that a firewall has closed are skipped from then on", async () => {
  const { kicker, ban, kicked } = kit();
  ban("203.0.113.7");
  kicker.nudge(false);
  ban("203.0.113.9");
  kicker.nudge(true);
  await settled();
  assert.deepEqual(kicked, ["203.0.113.9/32"]);
});

test("in a flood only the newest bans are handled", async () => {
  const { kicker, ban, kicked } = kit();
  for (let n = 0; n < 1_000; n++) ban(`198.51.${n >> 8}.${n & 255}`);
  kicker.nudge(true);
  for (let turn = 0; turn < 300; turn++) await settled();
  assert.equal(kicked.length, 100);
  assert.equal(kicked.at(-1), "198.51.3.231/32");
});

for (const answer of ["refuses", "throws"] as const)
  test(`a keeper that ${answer} is logged`, async () => {
    const { kicker, ban, warned } = kit(answer);
    ban("203.0.113.7");
    kicker.nudge(true);
    await settled();
    assert.equal(warned.length, 1);
    ban("203.0.113.8");
    kicker.nudge(true);
    await settled();
    assert.equal(warned.length, 2, "the next ban is handled anyway");
  });

test("bans that arrive while sessions are being closed wait for their turn", async () => {
  const { kicker, ban, kicked } = kit();
  ban("203.0.113.7");
  kicker.nudge(true);
  ban("203.0.113.8");
  kicker.nudge(true);
  await settled();
  assert.deepEqual(kicked, ["203.0.113.7/32", "203.0.113.8/32"]);
});

test("sessions under bans from before the start are not closed again", async () => {
  const { kicked, ban, start } = kit();
  ban("203.0.113.7");
  const late = start();
  late.nudge(true);
  await settled();
  assert.deepEqual(kicked, []);
});

test("the keeper is asked for one network after the other, however many bans arrive at the same time", async () => {
  const { kicker, ban, kicked, hold } = kit();
  const release = hold();
  for (const last of [7, 8, 9]) {
    ban(`203.0.113.${last}`);
    kicker.nudge(true);
    await settled();
  }
  assert.equal(kicked.length, 1);
  release();
  await settled();
  assert.deepEqual(kicked, ["203.0.113.7/32", "203.0.113.8/32", "203.0.113.9/32"]);
});
