import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_ONCE, outbox } from "../../../test/kit/outbox-kit.ts";
import type { Schedule } from "../../core/alerts/schedule.ts";
import { HOUR_MS } from "../../core/time.ts";

test("each message reaches each channel once", async () => {
  const kit = outbox();
  kit.add(AT_ONCE, ["one", "warning"], ["two", "info"]);
  assert.deepEqual((await kit.rounds(AT_ONCE)).toSorted(), ["a: one", "a: two", "b: one", "b: two"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 100), []);
  assert.deepEqual(kit.box.deliveries, []);
});

test("quiet hours: critical alerts are sent, all others follow together at the end", async () => {
  const kit = outbox();
  const night: Schedule = { quiet: { from: 11 * 60, to: 13 * 60 }, timeZone: "UTC", digestMs: 0 };
  kit.add(night, ["one", "warning"], ["two", "info"], ["three", "critical"]);
  assert.deepEqual(await kit.rounds(night), ["a: three", "b: three"]);
  kit.clock.advance(HOUR_MS);
  assert.deepEqual(await kit.rounds(night), ["a: 2 alerts that could wait", "b: 2 alerts that could wait"]);
  assert.deepEqual(await kit.rounds(night), []);
});

test("a digest collects informational alerts; a single one is sent as it is", async () => {
  const kit = outbox();
  const daily: Schedule = { ...AT_ONCE, digestMs: 24 * HOUR_MS };
  kit.add(daily, ["one", "info"]);
  await kit.rounds(daily);
  kit.clock.advance(HOUR_MS);
  kit.add(daily, ["two", "info"], ["three", "warning"]);
  assert.deepEqual(await kit.rounds(daily), ["a: three", "b: three"]);
  kit.clock.advance(23 * HOUR_MS);
  assert.deepEqual(await kit.rounds(daily), ["a: 2 alerts that could wait", "b: 2 alerts that could wait"]);
  kit.add(daily, ["alone", "info"]);
  kit.clock.advance(24 * HOUR_MS);
  assert.deepEqual(await kit.rounds(daily), ["a: alone", "b: alone"]);
});

test("a channel that was removed from the settings is forgotten", async () => {
  const kit = outbox();
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 60);
  kit.box.use([]);
  assert.deepEqual([kit.box.deliveries.length, kit.box.failing.size], [0, 0]);
});

test("a channel handles one message at a time, and the box is settled once it has answered", async () => {
  const kit = outbox();
  const answers: (() => void)[] = [];
  const send = (): Promise<{ ok: true }> => new Promise((resolve) => answers.push(() => resolve({ ok: true })));
  kit.box.use([{ name: "slow", send }]);
  kit.add(AT_ONCE, ["one", "critical"], ["two", "critical"]);
  for (let i = 0; i < 3; i++) kit.box.round(AT_ONCE, "en");
  assert.equal(answers.length, 1);
  let settled = false;
  const settling = kit.box.settled().then(() => (settled = true));
  await Promise.resolve();
  assert.equal(settled, false);
  answers[0]?.();
  await settling;
  kit.box.round(AT_ONCE, "en");
  assert.equal(answers.length, 2);
});

test("without changes nothing is saved again; a message dropped for lack of room is reported", async () => {
  const kit = outbox();
  const before = kit.changes();
  kit.box.add([], AT_ONCE);
  await kit.rounds(AT_ONCE, 5);
  assert.equal(kit.changes(), before);
  for (let i = 0; i < 1_000; i++) kit.add(AT_ONCE, [`${i}`, "critical"]);
  assert.deepEqual(kit.warned, []);
  kit.add(AT_ONCE, ["1000", "critical"]);
  assert.deepEqual(kit.warned, [["Too many alerts wait; the oldest are given up.", { most: 1_000 }]]);
  assert.equal(kit.box.deliveries[0]?.message.title, "1");
});
