import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, SILENT } from "../../../test/kit/engine-kit.ts";
import type { Severity } from "../../core/alerts/alerts.ts";
import type { Schedule } from "../../core/alerts/schedule.ts";
import { HOUR_MS, later } from "../../core/time.ts";
import { AlertOutbox } from "./outbox.ts";
import type { AlertChannel, AlertMessage, Delivery } from "./ports.ts";
import { testMessage } from "./words.ts";

const AT_ONCE: Schedule = { quiet: null, timeZone: "UTC", digestMs: 0 };

type Given = Readonly<{
  channels?: readonly string[];
  brokenOnes?: readonly string[];
  refused?: readonly string[];
  kept?: readonly Delivery[];
}>;

/** Messages on their way to these channels. `kept`: deliveries from before a restart. */
function outbox({ channels = ["a", "b"], brokenOnes = [], refused = [], kept = [] }: Given = {}) {
  const clock = new HandClock(Date.UTC(2026, 0, 1, 12));
  const sent: string[] = [];
  const broken = new Set(brokenOnes);
  const waiting = new Set<string>();
  const warned: unknown[] = [];
  let changes = 0;
  const channel = (name: string): AlertChannel => ({
    name,
    send: (message) => {
      if (waiting.has(name)) return Promise.resolve({ ok: false, reason: "no one is there", waits: true });
      if (broken.has(name) || refused.includes(message.title))
        return Promise.resolve({ ok: false, reason: "it answered 503" });
      sent.push(`${name}: ${message.title}`);
      return Promise.resolve({ ok: true });
    },
  });
  const log = { ...SILENT, warn: (...what: readonly unknown[]) => void warned.push(what) };
  const box = new AlertOutbox(kept, { clock, log, changed: () => void changes++ });
  box.use(channels.map(channel));
  const code = "component_down";
  const message = (title: string, severity: Severity, subject = title, kind: AlertMessage["kind"] = "test") => ({
    ...testMessage(clock.now(), "en"),
    ...({ kind, title, severity, subject, code } as const),
  });
  return {
    clock,
    sent,
    broken,
    waiting,
    warned,
    box,
    channel,
    changes: () => changes,
    add: (schedule: Schedule, ...all: Parameters<typeof message>[]): void => {
      const messages = all.map((one) => message(...one));
      box.add(messages, schedule);
    },
    /** Its only channel from now on, which answers when the returned functions are called. */
    useSlow: (): readonly (() => void)[] => {
      const answers: (() => void)[] = [];
      const send = (): Promise<{ ok: true }> => new Promise((resolve) => answers.push(() => resolve({ ok: true })));
      box.use([{ name: "slow", send }]);
      return answers;
    },
    /** Runs rounds, as the guard does each second. */
    async rounds(schedule: Schedule, count = 3, stepMs = 1_000): Promise<readonly string[]> {
      for (let i = 0; i < count; i++) {
        box.round(schedule, "en");
        await box.settled();
        clock.advance(stepMs);
      }
      return sent.splice(0);
    },
  };
}

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

test("a single alert that waited for a week is retried too if the channel fails at that moment", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  const weekly: Schedule = { ...AT_ONCE, digestMs: 7 * 24 * HOUR_MS };
  kit.add(weekly, ["alone", "info"]);
  kit.clock.advance(7 * 24 * HOUR_MS);
  await kit.rounds(weekly, 1);
  kit.broken.clear();
  assert.deepEqual(await kit.rounds(weekly, 5), ["a: 1 alert that could wait"]);
});

test("messages that wait for a channel that was removed from the settings go to a new one, and not to the others again", async () => {
  const kit = outbox({ brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["one", "critical"], ["two", "critical"]);
  assert.deepEqual((await kit.rounds(AT_ONCE, 60)).toSorted(), ["b: one", "b: two"]);
  kit.box.use([kit.channel("b"), kit.channel("corrected")]);
  assert.equal(kit.box.failing.size, 0);
  assert.deepEqual(await kit.rounds(AT_ONCE), ["corrected: one", "corrected: two"]);
  assert.equal(kit.box.deliveries.length, 0);
  kit.broken.add("b");
  kit.add(AT_ONCE, ["three", "critical"]);
  assert.deepEqual(await kit.rounds(AT_ONCE), ["corrected: three"]);
  kit.box.use([kit.channel("corrected")]);
  assert.deepEqual(await kit.rounds(AT_ONCE), ["corrected: three"], "better twice than never");
});

test("a message that waits for a removed channel and another one is sent to the other once, even after a restart", async () => {
  const before = outbox({ brokenOnes: ["a", "b"] });
  before.add(AT_ONCE, ["one", "critical"]);
  await before.rounds(AT_ONCE, 1);
  const kept = before.box.deliveries.map((one) => structuredClone(one));
  for (const kit of [before, outbox({ kept })]) {
    kit.box.use([kit.channel("b")]);
    kit.broken.clear();
    kit.clock.advance(HOUR_MS);
    assert.deepEqual(await kit.rounds(AT_ONCE, 10), ["b: one"]);
  }
});

test("after three days, messages that wait for a removed channel go only to a new one", async () => {
  const kit = outbox({ channels: ["a", "b", "c"], brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 1);
  kit.clock.advance(3 * 24 * HOUR_MS - 1_000);
  const waitingFor = (...names: readonly string[]) => {
    kit.box.use(names.map(kit.channel));
    return kit.box.deliveries.map(({ channel }) => channel);
  };
  assert.deepEqual(waitingFor("b", "c"), ["b", "c"]);
  kit.clock.advance(1);
  assert.deepEqual(waitingFor("c"), ["c"]);
  assert.deepEqual(waitingFor("corrected"), ["corrected"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["corrected: one"]);
});

test("after a restart, messages that wait for a removed channel go only to channels for which nothing waits", async () => {
  const channels = ["b", "removed"];
  const before = outbox({ channels, brokenOnes: channels });
  before.add(AT_ONCE, ["one", "critical"]);
  await before.rounds(AT_ONCE, 1);
  const kit = outbox({ brokenOnes: ["a"], kept: before.box.deliveries });
  assert.deepEqual(await kit.rounds(AT_ONCE, 10), ["b: one"]);
});

test("a channel handles one message at a time, and the outbox is settled once it has answered", async () => {
  const kit = outbox();
  const answers = kit.useSlow();
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
  assert.deepEqual(kit.warned, [
    ["Too many alert messages are waiting; the oldest non-critical ones are dropped first.", { most: 1_000 }],
  ]);
  assert.equal(kit.box.deliveries[0]?.message.title, "1");
});

test("the start of a critical alert goes first, and critical messages are dropped last", async () => {
  const kit = outbox({ channels: ["a"] });
  kit.add(AT_ONCE, ["end", "critical", "x", "resolved"], ["one", "warning", "y", "opened"]);
  kit.add(AT_ONCE, ["two", "critical", "z", "opened"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), ["a: two", "a: end", "a: one"]);
  for (let i = 0; i <= 1_000; i++) kit.add(AT_ONCE, [`${i}`, i === 0 ? "critical" : "warning"]);
  const titles = kit.box.deliveries.slice(0, 2).map(({ message }) => message.title);
  assert.deepEqual(titles, ["0", "2"]);
});

test("a failing channel delays no other channel, is reported, and gets everything once it works again", async () => {
  const kit = outbox({ brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["begins", "critical", "x"]);
  kit.add(AT_ONCE, ["ends", "critical", "x"]);
  assert.deepEqual(await kit.rounds(AT_ONCE), ["b: begins", "b: ends"]);
  assert.equal(kit.box.failing.size, 0, "one failure is not reported");
  assert.deepEqual(await kit.rounds(AT_ONCE, 40), []);
  assert.deepEqual([...kit.box.failing], [["a", "it answered 503"]]);
  kit.broken.clear();
  assert.deepEqual(await kit.rounds(AT_ONCE, 60), ["a: begins", "a: ends"], "the alert before its resolution");
  assert.equal(kit.box.failing.size, 0);
});

test("a channel that failed before a restart counts as failing until it accepts a message", async () => {
  const before = outbox({ brokenOnes: ["a"] });
  before.add(AT_ONCE, ["one", "critical"]);
  await before.rounds(AT_ONCE, 10);
  assert.equal(outbox({ kept: before.box.deliveries }).box.failing.size, 0, "two failures are not reported");
  await before.rounds(AT_ONCE, 10);
  const kit = outbox({ kept: before.box.deliveries });
  assert.deepEqual([...kit.box.failing], [["a", "it failed before the guard restarted"]]);
  kit.clock.advance(20_000);
  kit.add(AT_ONCE, ["its end", "critical", "one"]);
  await kit.rounds(AT_ONCE, 1);
  assert.equal(outbox({ kept: kit.box.deliveries }).box.failing.size, 1, "the end waits for its start");
  kit.clock.advance(HOUR_MS);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: one"]);
  assert.equal(kit.box.failing.size, 0);
});

test("messages that waited while the machine was off for days are tried for an hour", async () => {
  const before = outbox({ channels: ["a"], brokenOnes: ["a"] });
  before.clock.advance(-4 * 24 * HOUR_MS);
  before.add(AT_ONCE, ["one", "critical"]);
  await before.rounds(AT_ONCE, 1);
  const started = () => outbox({ channels: ["a"], brokenOnes: ["a"], kept: before.box.deliveries });
  const kit = started();
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  assert.deepEqual(await kit.rounds(AT_ONCE, 10), ["a: one"]);
  const other = started();
  other.clock.advance(HOUR_MS + 1);
  await other.rounds(AT_ONCE, 1);
  assert.deepEqual(other.box.deliveries, []);
});

test("a message that the channel always refuses does not make it fail while it accepts others", async () => {
  const kit = outbox({ channels: ["a"], refused: ["never"] });
  kit.add(AT_ONCE, ["never", "critical"]);
  await kit.rounds(AT_ONCE, 40);
  assert.equal(kit.box.failing.size, 1);
  kit.add(AT_ONCE, ["one", "critical"]);
  kit.box.round(AT_ONCE, "en");
  assert.equal(outbox({ kept: kit.box.deliveries }).box.failing.size, 0, "a restart before its answer");
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: one"]);
  kit.warned.splice(0);
  await kit.rounds(AT_ONCE, 75);
  kit.add(AT_ONCE, ["two", "critical"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), ["a: two"]);
  assert.deepEqual([kit.box.failing.size, kit.warned.length], [0, 1], "its retries become rarer");
});

test("a channel without recipients has not failed, and keeps its messages", async () => {
  const kit = outbox();
  kit.waiting.add("a");
  kit.add(AT_ONCE, ["one", "critical"], ["two", "critical"]);
  await kit.rounds(AT_ONCE, 2);
  const stored = kit.changes();
  await kit.rounds(AT_ONCE, 40);
  assert.deepEqual([kit.box.failing.size, kit.warned], [0, []]);
  assert.equal(outbox({ kept: kit.box.deliveries }).box.failing.size, 0, "nor after a restart");
  assert.equal(kit.changes(), stored, "nothing is stored while it waits");
  kit.waiting.clear();
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), [], "it is tried every five seconds");
  assert.deepEqual(await kit.rounds(AT_ONCE, 2), ["a: one", "a: two"]);
  kit.waiting.add("a");
  kit.add(AT_ONCE, ["three", "critical"]);
  const before = kit.changes();
  kit.clock.advance(3 * 24 * HOUR_MS + 1);
  await kit.rounds(AT_ONCE, 1);
  assert.equal(kit.box.deliveries.length, 0, "it is given up after three days too");
  assert.equal(kit.changes() - before, 3, "stored once released, sent to b, and given up");
  kit.waiting.clear();
  kit.broken.add("a");
  kit.add(AT_ONCE, ["four", "critical"]);
  await kit.rounds(AT_ONCE, 20);
  assert.equal(kit.box.failing.size, 1);
  kit.waiting.add("a");
  const failed = kit.changes();
  await kit.rounds(AT_ONCE, 40);
  assert.equal(kit.box.failing.size, 0, "it works again, but has no recipient");
  assert.equal(kit.changes() - failed, 1, "that it works is stored once");
});

test("a failing channel is retried after 5, 10 and 20 seconds, and reported after the third failure in a row", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["one", "critical"]);
  const failedAt: number[] = [];
  for (let second = 0; second <= 35; second++) {
    const before = kit.warned.length;
    await kit.rounds(AT_ONCE, 1);
    if (kit.warned.length > before) failedAt.push(second);
    assert.equal(kit.box.failing.size, failedAt.length < 3 ? 0 : 1);
  }
  assert.deepEqual(failedAt, [0, 5, 15, 35]);
  const failed = { channel: "a", attempts: 1, why: "it answered 503" };
  assert.deepEqual(kit.warned[0], ["An alert could not be delivered.", failed]);
  kit.box.use([kit.channel("a"), kit.channel("b")]);
  assert.equal(kit.box.failing.size, 1, "it counts as failing as long as the settings name it");
});

test("a message is given up only once it is older than three days", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["one", "critical"]);
  kit.clock.advance(3 * 24 * HOUR_MS);
  await kit.rounds(AT_ONCE, 1);
  assert.equal(kit.box.deliveries.length, 1);
  await kit.rounds(AT_ONCE, 10);
  assert.equal(kit.box.deliveries.length, 0);
});

test("the newest message for a failing channel is retried longer, so that its report ends once it works again", async () => {
  const kit = outbox({ brokenOnes: ["a", "b"] });
  kit.add(AT_ONCE, ["one", "warning", "x", "opened"], ["two", "critical", "y", "opened"]);
  await kit.rounds(AT_ONCE, 40);
  kit.clock.advance(4 * 24 * HOUR_MS);
  await kit.rounds(AT_ONCE, 2);
  assert.deepEqual(
    kit.box.deliveries.map(({ message }) => message.title),
    ["two", "two"],
  );
  kit.broken.clear();
  kit.clock.advance(HOUR_MS);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: two", "b: two"]);
  assert.equal(kit.box.failing.size, 0);
});

test("a message that some services behind a channel have already is sent at most twelve times, within two hours", async () => {
  const kit = outbox();
  let copies = 0;
  const send: AlertChannel["send"] = () => {
    copies += 1;
    return Promise.resolve({ ok: false, reason: "it answered 424", isPartial: true });
  };
  kit.box.use([{ name: "partial", send }]);
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 6_155);
  assert.deepEqual([copies, kit.box.deliveries.length], [11, 1]);
  await kit.rounds(AT_ONCE, 1);
  assert.deepEqual([copies, kit.box.deliveries.length], [12, 0]);
  assert.ok(kit.box.failing.has("partial"), "it stays reported until it accepts a message");
});

test("attempts that reached no service, such as those of a long outage, are no copies", async () => {
  const kit = outbox();
  let sent = 0;
  const send: AlertChannel["send"] = () => {
    sent += 1;
    if (sent > 20) return Promise.resolve({ ok: true });
    const failure = { ok: false, reason: "it does not work" } as const;
    return Promise.resolve(sent === 20 ? { ...failure, isPartial: true } : failure);
  };
  kit.box.use([{ name: "a", send }]);
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 24 * 60, 60_000);
  assert.deepEqual([sent, kit.box.deliveries.length], [21, 0]);
});

test("messages about different things, and digests, do not wait for each other", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  const message = (title: string, subject = "") => ({ ...testMessage(kit.clock.now(), "en"), title, subject });
  kit.add(AT_ONCE, ["one", "critical", "x"]);
  kit.box.add([message("first digest")], AT_ONCE);
  await kit.rounds(AT_ONCE, 2);
  assert.equal(kit.warned.length, 2, "both failed");
  kit.broken.clear();
  const another = { ...message("another", "x"), code: "disk_nearly_full" } as const;
  kit.box.add([message("test", "x"), message("second digest"), another], AT_ONCE);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), ["a: test", "a: second digest", "a: another"]);
});

test("a clock that was set back delays a message at most until its next attempt", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  kit.clock.advance(-1_000);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), [], "its next attempt is five seconds ahead");
  kit.clock.advance(-1_001);
  assert.deepEqual(await kit.rounds(AT_ONCE, 1), ["a: one"], "it is not further ahead");
});

test("after the clock was set back, a message waits for its digest no longer than any other", async () => {
  const kit = outbox({ channels: ["a"] });
  const daily: Schedule = { ...AT_ONCE, digestMs: 24 * HOUR_MS };
  kit.add(daily, ["one", "info"]);
  kit.clock.advance(-24 * HOUR_MS);
  assert.deepEqual(await kit.rounds(daily, 1), [], "a digest and quiet hours may take two days");
  kit.clock.advance(-2_000);
  assert.deepEqual(await kit.rounds(daily, 1), ["a: one"]);
  const now = kit.clock.now();
  const many: AlertMessage = { ...testMessage(now, "en"), title: "many", severity: "critical" };
  kit.box.add([many], daily, new Map([[many.id, later(now, HOUR_MS)]]));
  assert.deepEqual(await kit.rounds(daily, 1), [], "with others of its kind, after an hour at most");
  kit.clock.advance(-2_000);
  assert.deepEqual(await kit.rounds(daily, 1), ["a: many"]);
});

test("a new message is at most five seconds in the future, however far the clock was set back", async () => {
  for (const byMs of [5_000, 5_001]) {
    const kit = outbox();
    const answers = kit.useSlow();
    kit.add(AT_ONCE, ["one", "critical"], ["two", "critical"]);
    kit.box.round(AT_ONCE, "en");
    kit.clock.advance(-byMs);
    answers[0]?.();
    await kit.box.settled();
    kit.box.round(AT_ONCE, "en");
    assert.equal(answers.length, byMs > 5_000 ? 2 : 1, `${byMs} ms`);
  }
});

test("no resolution is sent before its alert, not even once the channel works again", async () => {
  const kit = outbox({ channels: ["a"], brokenOnes: ["a"] });
  kit.add(AT_ONCE, ["begins", "critical", "x"]);
  await kit.rounds(AT_ONCE, 1);
  kit.broken.clear();
  kit.add(AT_ONCE, ["ends", "critical", "x"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 3), []);
  assert.deepEqual(await kit.rounds(AT_ONCE, 4), ["a: begins", "a: ends"]);
});
