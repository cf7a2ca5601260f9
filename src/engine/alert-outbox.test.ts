import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../test/kit/engine-kit.ts";
import type { Schedule } from "../core/alert-schedule.ts";
import type { Severity } from "../core/alerts.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { AlertOutbox } from "./alert-outbox.ts";
import type { AlertChannel, AlertMessage } from "./alert-ports.ts";
import { testMessage } from "./alert-words.ts";

const AT_ONCE: Schedule = { quiet: null, timeZone: "UTC", digestMs: 0 };
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

function outbox() {
  const clock = new HandClock(Date.UTC(2026, 0, 1, 12));
  const told: string[] = [];
  const broken = new Set<string>();
  const channel = (name: string): AlertChannel => ({
    name,
    send: (message) => {
      if (broken.has(name)) return Promise.resolve({ ok: false, reason: "it answered 503" });
      told.push(`${name}: ${message.title}`);
      return Promise.resolve({ ok: true });
    },
  });
  const box = new AlertOutbox([], { clock, log: SILENT, changed: () => undefined });
  box.use([channel("a"), channel("b")]);
  const message = (title: string, severity: Severity, subject = title): AlertMessage => ({
    ...testMessage(clock.now()),
    title,
    severity,
    subject,
    code: "component_down",
  });
  return {
    clock,
    told,
    broken,
    box,
    add: (schedule: Schedule, ...all: Parameters<typeof message>[]) =>
      box.add(
        all.map((one) => message(...one)),
        schedule,
      ),
    /** As the guard does each second. */
    async rounds(schedule: Schedule, seconds = 3): Promise<readonly string[]> {
      for (let i = 0; i < seconds; i++) {
        box.round(schedule);
        await box.settled();
        clock.advance(1_000);
      }
      return told.splice(0);
    },
  };
}

test("each message reaches each channel once", async () => {
  const kit = outbox();
  kit.add(AT_ONCE, ["one", "warning"], ["two", "info"]);
  assert.deepEqual((await kit.rounds(AT_ONCE)).toSorted(), ["a: one", "a: two", "b: one", "b: two"]);
  assert.deepEqual(await kit.rounds(AT_ONCE, 100), []);
  assert.deepEqual(kit.box.deliveries, []);
});

test("a channel that fails holds back no other, is told of, and gets everything once it is back", async () => {
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

test("quiet hours: the critical is told, all else follows at their end as one", async () => {
  const kit = outbox();
  const night: Schedule = { quiet: { from: 11 * 60, to: 13 * 60 }, timeZone: "UTC", digestMs: 0 };
  kit.add(night, ["one", "warning"], ["two", "info"], ["three", "critical"]);
  assert.deepEqual(await kit.rounds(night), ["a: three", "b: three"]);
  kit.clock.advance(HOUR_MS);
  assert.deepEqual(await kit.rounds(night), ["a: 2 alerts that could wait", "b: 2 alerts that could wait"]);
  assert.deepEqual(await kit.rounds(night), []);
});

test("a digest gathers what is only to know; one alone needs none", async () => {
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

test("a channel that the settings no longer name is forgotten", async () => {
  const kit = outbox();
  kit.broken.add("a");
  kit.add(AT_ONCE, ["one", "critical"]);
  await kit.rounds(AT_ONCE, 60);
  kit.box.use([]);
  assert.deepEqual([kit.box.deliveries.length, kit.box.failing.size], [0, 0]);
});

test("while channels fail, no more than a bounded number waits", async () => {
  const kit = outbox();
  kit.broken.add("a").add("b");
  for (let i = 0; i < 1_500; i++) kit.add(AT_ONCE, [`${i}`, "critical"]);
  await kit.rounds(AT_ONCE);
  assert.equal(kit.box.deliveries.length, 1_000);
});
