import assert from "node:assert/strict";
import { test } from "node:test";
import { AT_ONCE, outbox } from "../../../test/kit/outbox-kit.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { testMessage } from "./words.ts";

test("a failing channel holds back no other, is reported, and gets everything once it is back", async () => {
  const kit = outbox();
  kit.broken.add("a");
  kit.add(AT_ONCE, ["begins", "critical", "x"]);
  kit.add(AT_ONCE, ["ends", "critical", "x"]);
  assert.deepEqual(await kit.rounds(AT_ONCE), ["b: begins", "b: ends"]);
  assert.equal(kit.box.failing.size, 0, "once is nothing yet");
  assert.deepEqual(await kit.rounds(AT_ONCE, 40), []);
  assert.deepEqual([...kit.box.failing], [["a", "it answered 503"]]);
  kit.broken.clear();
  assert.deepEqual(await kit.rounds(AT_ONCE, 60), ["a: begins", "a: ends"], "the beginning before the end");
  assert.equal(kit.box.failing.size, 0);
});

test("a channel that has no one to send to yet has not failed, and keeps its messages", async () => {
  const kit = outbox();
  kit.waiting.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 40);
  assert.deepEqual([kit.box.failing.size, kit.warned], [0, []]);
  kit.waiting.clear();
  assert.deepEqual(await kit.rounds(AT_ONCE, 60), ["a: one"]);
});

test("a message that no attempt brings home is given up after three days", async () => {
  const kit = outbox();
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE);
  for (let i = 0; i < 200; i++) {
    kit.clock.advance(30 * MINUTE_MS);
    await kit.rounds(AT_ONCE, 1);
  }
  assert.deepEqual(kit.box.deliveries, []);
});

test("while channels fail, no more than a bounded number waits", async () => {
  const kit = outbox();
  kit.broken.add("a").add("b");
  for (let i = 0; i < 1_500; i++) kit.add(AT_ONCE, [`${i}`, "critical"]);
  await kit.rounds(AT_ONCE);
  assert.equal(kit.box.deliveries.length, 1_000);
});

test("a failing channel is tried after 5, 10 and 20 seconds, and reported from the third failure in a row on", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  const failedAt: number[] = [];
  for (let second = 0; second <= 35; second++) {
    const before = kit.warned.length;
    await kit.rounds(AT_ONCE, 1);
    if (kit.warned.length > before) failedAt.push(second);
    assert.equal(kit.box.failing.size, failedAt.length < 3 ? 0 : 1);
  }
  assert.deepEqual(failedAt, [0, 5, 15, 35]);
  assert.deepEqual(kit.warned[0], [
    "An alert could not be delivered.",
    { channel: "a", attempts: 1, why: "it answered 503" },
  ]);
  kit.box.use([kit.channel("a"), kit.channel("b")]);
  assert.equal(kit.box.failing.size, 1, "it is known to fail as long as the settings name it");
});

test("a message is given up only once it is older than three days", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  kit.clock.advance(3 * 24 * HOUR_MS);
  await kit.rounds(AT_ONCE, 1);
  assert.equal(kit.box.deliveries.length, 1);
  await kit.rounds(AT_ONCE, 10);
  assert.equal(kit.box.deliveries.length, 0);
});

test("messages about different things, and digests, do not wait for each other", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical", "x"]);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  const at = kit.clock.now();
  const unnamed = [1, 2].map((i) => ({ ...testMessage(at, "en"), title: `test ${i}`, subject: "x" }));
  kit.box.add(unnamed, AT_ONCE);
  kit.box.add([{ ...testMessage(at, "en"), title: "another", subject: "x", code: "disk_nearly_full" }], AT_ONCE);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), ["a: test 1", "a: test 2", "a: another"]);
});

test("a clock that was set back holds up no message for longer than its next attempt", async () => {
  const kit = outbox();
  const [a] = [kit.channel("a")];
  kit.box.use([a]);
  kit.add(AT_ONCE, ["one", "critical"]);
  // After the clock is set back, due deliveries lie this far in the future.
  kit.box.round({ ...AT_ONCE }, "en");
  await kit.box.settled();
  kit.told.length = 0;
  kit.broken.add("a");
  kit.add(AT_ONCE, ["two", "critical"]);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  kit.clock.advance(-1_000);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), [], "five seconds ahead is its next attempt");
  kit.clock.advance(-1_001);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: two"], "further ahead it is not");
});

test("a message that has not been tried lies five seconds ahead at the most, however far the clock was set back", async () => {
  for (const [byMs, isTried] of [
    [5_000, false],
    [5_001, true],
  ] as const) {
    const kit = outbox();
    const answers: (() => void)[] = [];
    const send = (): Promise<{ ok: true }> => new Promise((resolve) => answers.push(() => resolve({ ok: true })));
    kit.box.use([{ name: "slow", send }]);
    kit.add(AT_ONCE, ["one", "critical"], ["two", "critical"]);
    kit.box.round(AT_ONCE, "en");
    kit.clock.advance(-byMs);
    answers[0]?.();
    await kit.box.settled();
    kit.box.round(AT_ONCE, "en");
    assert.equal(answers.length, isTried ? 2 : 1, `${byMs} ms`);
  }
});

test("no end is sent before its start, not even once the channel works again", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  kit.broken.add("a");
  kit.add(AT_ONCE, ["begins", "critical", "x"]);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  kit.add(AT_ONCE, ["ends", "critical", "x"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), []);
  assert.deepEqual(await kit.rounds(AT_ONCE, 4), ["a: begins", "a: ends"]);
});

test("a message is due at its time, and not a millisecond earlier", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  kit.box.round(AT_ONCE, "en");
  await kit.box.settled();
  kit.broken.clear();
  const reported = async (ms: number): Promise<number> => {
    kit.clock.advance(ms);
    kit.box.round(AT_ONCE, "en");
    await kit.box.settled();
    return kit.told.length;
  };
  assert.deepEqual([await reported(4_999), await reported(1)], [0, 1]);
});

test("digests, which are about nothing single, do not wait for one that failed", async () => {
  const kit = outbox();
  kit.box.use([kit.channel("a")]);
  const digest = (title: string) => ({ ...testMessage(kit.clock.now(), "en"), title });
  kit.broken.add("a");
  kit.box.add([digest("first")], AT_ONCE);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  kit.box.add([digest("second")], AT_ONCE);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: second"]);
});
