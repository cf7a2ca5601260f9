import assert from "node:assert/strict";
import { test } from "node:test";
import { alertsKit, SETTINGS } from "../../../test/kit/alerts-kit.ts";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { patience } from "../../../test/kit/patience.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";

test("compares the last ten minutes with the average of a day, every ten seconds", async () => {
  const { clock, state, notices, seconds, alerts } = alertsKit();
  const from = clock.now();
  // A day with ten events in each ten minutes, and sixty in the last.
  state.last = 10_000 + 1_440 + 60;
  state.ids = (since) => (since >= from - 10 * MINUTE_MS ? 11_441 : since <= from - DAY_MS ? 10_001 : 10_002);
  assert.deepEqual(await seconds(1), ["a: opened volume_spike"]);
  assert.equal(alerts.book.open[0]?.detail, "60 events within 10m; 10 are usual");
  state.last += 1_000;
  await seconds(9);
  assert.equal(alerts.book.open[0]?.detail, "60 events within 10m; 10 are usual");
  await seconds(1);
  assert.equal(alerts.book.open[0]?.detail, "1060 events within 10m; 10 are usual");
  assert.equal(notices.raised.size, 0);
});

test("other volume limits are checked without delay", async () => {
  const { clock, state, use, seconds, alerts } = alertsKit();
  const dayBefore = clock.now() - DAY_MS;
  state.last = 144 + 40;
  state.ids = (since) => (since < dayBefore ? 1 : 145);
  assert.deepEqual(await seconds(1), []);
  use({ volume: { minimum: 40, factor: 5 } }, "a");
  assert.deepEqual(await seconds(1), ["a: opened volume_spike"]);
  assert.equal(alerts.book.open[0]?.detail, "40 events within 10m; 1 is usual");
});

test("saves open and resolved alerts when they change, and retries if the database could not be written", async () => {
  const { notices, seconds, saved, state, logged } = alertsKit();
  const kept = () => saved.at(-1)?.alerts.map(({ code, resolvedAt }) => [code, resolvedAt === null]);
  await seconds(3);
  assert.equal(saved.length <= 1, true, "nothing changed, so nothing is saved");
  const before = saved.length;
  state.unwritable = true;
  notices.set("greylist_silent", "");
  assert.deepEqual(await seconds(1), ["a: opened greylist_silent"], "it is sent all the same");
  assert.equal(saved.length, before);
  assert.ok(logged.some((line) => line.startsWith("warn Alerts could not be saved; the guard retries.")));
  state.unwritable = false;
  await seconds(1);
  assert.deepEqual(kept(), [["greylist_silent", true]]);
  notices.set("greylist_silent", null);
  await seconds(70);
  assert.deepEqual(kept(), [["greylist_silent", false]]);
});

test("signs of a theft reported before a restart are still reported after it", async () => {
  const at = new HandClock().now();
  const codes = [
    "password_guessed",
    "login_after_guesses",
    "web_new_network",
    "web_overreach",
    "passkey_copied",
    "password_without_code",
    "second_factor_guessed",
  ] as const;
  const times = { openedAt: at, lastAt: at, resolvedAt: null };
  const kept = codes.map((code) => ({ code, subject: "anna@example.test", detail: "", ...times }));
  const { alerts, seconds } = alertsKit({ alerts: kept, deliveries: [] });
  assert.deepEqual(await seconds(300), []);
  const open = alerts.book.open.map(({ code }) => code);
  assert.deepEqual(open, codes);
});

test("at the end a channel has two seconds to finish deliveries in flight", {
  timeout: patience(20_000),
}, async () => {
  const { alerts, notices } = alertsKit();
  alerts.configure({ ...SETTINGS, channels: [{ name: "frozen", send: () => new Promise(() => undefined) }] });
  notices.set("greylist_silent", "");
  await alerts.round();
  const from = performance.now();
  // A pending delivery must not keep the process alive, so the test does.
  const alive = setInterval(() => undefined, 1_000);
  await alerts.stop();
  clearInterval(alive);
  const waitedMs = performance.now() - from;
  assert.ok(waitedMs > 1_900 && waitedMs < patience(5_000), `${waitedMs} ms`);
});

/** One alert in delivery. The channel accepts it when `take` says so. */
async function underWay() {
  const kit = alertsKit();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  kit.alerts.configure({ ...SETTINGS, channels: [{ name: "slow", send: () => promise }] });
  kit.notices.set("greylist_silent", "");
  await kit.alerts.round();
  return { ...kit, take: () => resolve({ ok: true }) };
}

test("a message accepted during shutdown is not sent again after the next start", async () => {
  const { alerts, saved, take } = await underWay();
  assert.equal(saved.at(-1)?.deliveries.length, 1);
  const stopping = alerts.stop();
  take();
  await stopping;
  assert.equal(saved.at(-1)?.deliveries.length, 0);
});

test("a delivery that succeeds between two rounds is saved at once", async () => {
  const { saved, take } = await underWay();
  take();
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(saved.at(-1)?.deliveries.length, 0);
});
