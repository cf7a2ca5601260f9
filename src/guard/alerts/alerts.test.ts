import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FIELDS } from "../../../test/kit/alert-windows-kit.ts";
import { alertsKit, SETTINGS } from "../../../test/kit/alerts-kit.ts";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { patience } from "../../../test/kit/patience.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";

test("an alert and its end are logged, with the details that an operator needs", async () => {
  const { notices, seconds, logged } = alertsKit();
  notices.set("greylist_silent", "no answer");
  assert.deepEqual(await seconds(1), ["a: opened greylist_silent"]);
  assert.deepEqual(logged, ['warn Alert opened. {"alert":"greylist_silent","subject":"","detail":"no answer"}']);
  notices.set("greylist_silent", null);
  assert.deepEqual(await seconds(61), ["a: resolved greylist_silent"]);
  assert.equal(logged[1], 'info Alert resolved. {"alert":"greylist_silent","subject":""}');
});

test("one alert may start while another ends", async () => {
  const { notices, seconds } = alertsKit();
  notices.set("greylist_silent", "");
  await seconds(1);
  notices.set("greylist_silent", null);
  await seconds(59);
  notices.set("disk_nearly_full", "");
  assert.deepEqual((await seconds(3)).toSorted(), ["a: opened disk_nearly_full", "a: resolved greylist_silent"]);
});

test("a full disk opens one alert, and no other alert about it opens or is resolved", async () => {
  const { notices, seconds } = alertsKit();
  notices.set("disk_low", "");
  assert.deepEqual(await seconds(1), ["a: opened disk_low"]);
  for (const code of ["disk_full", "database_unwritable", "engine_undigested"] as const) notices.set(code, "");
  assert.deepEqual(await seconds(120), ["a: opened disk_full"]);
  for (const code of ["disk_full", "database_unwritable"] as const) notices.set(code, null);
  assert.deepEqual(await seconds(50), [], "a notice that is retried each minute is still raised");
  notices.set("engine_undigested", null);
  assert.deepEqual(await seconds(60), ["a: resolved disk_full"]);
});

test("a later fault of the same kind is reported while an earlier one lasts, and so is the end of each", async () => {
  const { notices, seconds } = alertsKit();
  notices.set("certificate_unknown", "key 1", ["1"]);
  assert.deepEqual(await seconds(2), ["a: opened certificate_unknown 1"]);
  notices.set("certificate_unknown", "key 1; key 2", ["1", "2"]);
  assert.deepEqual(await seconds(2), ["a: opened certificate_unknown 2"]);
  notices.set("certificate_unknown", "key 2", ["2"]);
  assert.deepEqual(await seconds(120), ["a: resolved certificate_unknown 1"]);
});

test("only the newest 20 of a notice open alerts, and an older one's alert stays open while the notice names it", async () => {
  const { alerts, notices, seconds } = alertsKit();
  const all = Array.from({ length: 23 }, (_, i) => `key ${i}`);
  notices.set("certificate_unknown", "", all.slice(0, 22));
  assert.equal((await seconds(120)).length, 20);
  notices.set("certificate_unknown", "", all);
  const open = () => alerts.book.open.map(({ subject }) => subject);
  await seconds(120);
  assert.deepEqual(open(), all.slice(2));
  notices.set("certificate_unknown", "", all.slice(3));
  await seconds(120);
  assert.deepEqual(open(), all.slice(3));
});

test("from 40 open alerts of a notice on, only its newest subject opens another, and none is resolved while it is named", async () => {
  const { alerts, notices, seconds } = alertsKit();
  const all = Array.from({ length: 100 }, (_, i) => `key ${i}`);
  notices.set("check_failed", "", ["another notice"]);
  for (const many of [20, 35, 55, 100]) {
    notices.set("certificate_unknown", "", all.slice(0, many));
    await seconds(120);
  }
  const open = () => alerts.book.open.flatMap(({ code, subject }) => (code === "check_failed" ? [] : [subject]));
  const newest = [...all.slice(0, 35), ...all.slice(50, 55), "key 99"];
  assert.deepEqual(open(), newest);
  notices.set("certificate_unknown", "", all.slice(2));
  await seconds(120);
  assert.deepEqual(open(), [...newest.slice(2), "key 98"]);
});

test("each channel is listed, with the reason once it has failed three times", async () => {
  const { alerts, notices, seconds, answers } = alertsKit();
  answers.set("a", { ok: false, reason: "it answered 503" });
  notices.set("greylist_silent", "");
  await seconds(1);
  assert.deepEqual([...alerts.channels], [["a", null]]);
  await seconds(16);
  assert.deepEqual([...alerts.channels], [["a", "it answered 503"]]);
  assert.equal(alerts.leadOut, true);
  const local = { ...SETTINGS, channels: [{ name: "email", isLocal: true, send: () => assert.fail("not yet") }] };
  alerts.configure(local);
  assert.equal(alerts.leadOut, false, "they wait with the mail that they are about");
  const watcher = { name: "heartbeat w", send: () => assert.fail("not yet"), failing: () => null };
  alerts.configure({ ...local, watcher });
  assert.equal(alerts.leadOut, true, "the heartbeat stops");
});

test("a channel that fails while another one does is reported too", async () => {
  const { notices, seconds, answers, use } = alertsKit();
  use({}, "a", "b", "c");
  answers.set("a", { ok: false, reason: "its token was revoked" });
  notices.set("greylist_silent", "");
  assert.ok((await seconds(30)).includes("c: opened alerts_undelivered a"));
  answers.set("b", { ok: false, reason: "it answered 503" });
  notices.set("certificate_expiring", "");
  assert.ok((await seconds(30)).includes("c: opened alerts_undelivered b"));
  answers.set("a", { ok: true });
  assert.ok((await seconds(2_000)).includes("c: resolved alerts_undelivered a"));
});

test("while every channel fails, the heartbeat stops, until one works again", async () => {
  const { alerts, notices, seconds, answers, use } = alertsKit();
  use({}, "a", "b");
  answers.set("a", { ok: false, reason: "its token was revoked" });
  notices.set("greylist_silent", "");
  await seconds(120);
  assert.equal(alerts.isWell, true, "b reports that a fails");
  answers.set("b", { ok: false, reason: "it answered 503" });
  notices.set("certificate_expiring", "");
  await seconds(120);
  assert.equal(alerts.isWell, false);
  answers.set("b", { ok: true });
  notices.set("certificate_refused", "");
  await seconds(2);
  assert.equal(alerts.isWell, true);
});

test("a test message is sent to each channel at once, and returns the results", async () => {
  const { alerts, answers, notices, seconds, use } = alertsKit();
  use({}, "a", "b");
  answers.set("b", { ok: false, reason: "it answered 503" });
  const works = { channel: "a", outcome: { ok: true } };
  assert.deepEqual(await alerts.test(), [works, { channel: "b", outcome: { ok: false, reason: "it answered 503" } }]);
  const failing = { ok: false, reason: "it answered 404" } as const;
  const watcher = { name: "heartbeat w", send: () => Promise.resolve(failing), failing: () => failing.reason };
  use({ watcher }, "a");
  assert.deepEqual(await alerts.test(), [works, { channel: watcher.name, outcome: failing }]);
  assert.deepEqual([...alerts.channels].at(-1), [watcher.name, failing.reason]);
  await seconds(1);
  assert.ok(notices.list().some(({ detail }) => detail === "heartbeat w: it answered 404"));
  use({}, "a", "b");
  answers.set("b", new Promise(() => undefined));
  const late = { ok: false, reason: "no answer within 0.01 s; it is still tried" };
  assert.deepEqual(await alerts.test(10), [works, { channel: "b", outcome: late }]);
});

test("a test message ends the report of a failing channel, but starts none", async () => {
  const { alerts, answers, seconds, notices } = alertsKit();
  const failed = { ok: false, reason: "it answered 503" } as const;
  answers.set("a", failed);
  for (let i = 0; i < 3; i++) await alerts.test();
  assert.deepEqual([...alerts.channels], [["a", null]]);
  notices.set("greylist_silent", "");
  await seconds(20);
  assert.deepEqual([...alerts.channels], [["a", failed.reason]]);
  assert.ok(notices.raised.has("alerts_undelivered"));
  answers.set("a", { ok: true });
  await alerts.test();
  assert.ok((await seconds(1)).includes("a: opened greylist_silent"), "waiting messages follow at once");
  assert.ok(!notices.raised.has("alerts_undelivered"));
});

test("new thresholds apply to past events too; new channels get only later messages", async () => {
  const { use, seconds, failures, steps } = alertsKit();
  failures(2);
  assert.deepEqual(await seconds(2), []);
  assert.equal(steps.length, 1);
  use({ thresholds: { ...SETTINGS.thresholds, failed_logins: 2 } }, "b");
  assert.deepEqual(await seconds(2), ["b: opened failed_logins"]);
  assert.equal(steps.length, 2);
  use({ thresholds: { ...SETTINGS.thresholds, failed_logins: 2 } }, "b");
  await seconds(2);
  assert.equal(steps.length, 2, "unchanged thresholds need no second check");
});

test("a day of events, but at most 200,000, is read in steps, so that decisions are not delayed", async () => {
  const { alerts, seconds, state, steps } = alertsKit();
  state.last = 600;
  await seconds(1);
  assert.deepEqual(steps.flat(), [0, 250, 250, 500, 500, 600]);
  assert.equal(alerts.isWell, true);
  const firstRead = async (ids = () => 1): Promise<number | undefined> => {
    const late = alertsKit();
    Object.assign(late.state, { last: 1_000_000, ids });
    await late.seconds(1);
    return late.steps[0]?.[0];
  };
  assert.equal(await firstRead(), 800_000);
  assert.equal(await firstRead(() => 999_000), 998_999, "nor events older than the longest window");
});

test("if settings change while events are read, reading starts over instead of continuing in the old windows", async () => {
  const { alerts, use, failures, state, seconds } = alertsKit();
  failures(2);
  state.last = 1_000;
  const reading = alerts.round();
  const volume = { minimum: 10_000, factor: 5 };
  use({ thresholds: { ...SETTINGS.thresholds, failed_logins: 2 }, volume }, "a");
  await reading;
  assert.deepEqual(await seconds(2), ["a: opened failed_logins"]);
});

test("only one round runs at a time", async () => {
  const { alerts, state, steps } = alertsKit();
  state.last = 600;
  await Promise.all([alerts.round(), alerts.round()]);
  assert.equal(steps.filter(([after]) => after === 0).length, 1);
  assert.equal(state.asked, 1, "the parts of the server are asked once too");
});

test("events that cannot be read end no alert about them, and hide no other alerts", async () => {
  const open = { detail: "", openedAt: new HandClock().now(), lastAt: new HandClock().now(), resolvedAt: null };
  const guessed = { ...open, code: "failed_logins", subject: "" } as const;
  const postfix = { ...open, code: "component_down", subject: "postfix" } as const;
  const { held, notices, state, seconds, logged } = alertsKit({ alerts: [guessed, postfix], deliveries: [] });
  state.unreadable = true;
  notices.set("disk_nearly_full", "");
  held.push({ code: "component_down", subject: "dovecot", detail: "" });
  const reported = await seconds(120);
  assert.deepEqual(reported.toSorted(), [
    "a: opened component_down dovecot",
    "a: opened disk_nearly_full",
    "a: resolved component_down postfix",
  ]);
  assert.ok(logged.includes('warn Alerts cannot read the events; the guard retries. {"why":"disk I/O error"}'));
  state.unreadable = false;
  assert.deepEqual(await seconds(120), ["a: resolved failed_logins"]);
});

test("while events cannot be read, the server is not reported as healthy", async () => {
  const { alerts, state, seconds } = alertsKit();
  state.unreadable = true;
  await seconds(1);
  assert.equal(alerts.isWell, false);
  state.unreadable = false;
  await seconds(1);
  assert.equal(alerts.isWell, true);
});

test("no event counts twice because a later one could not be read", async () => {
  const { alerts, clock, seen, seconds, state } = alertsKit();
  const wrongCode = (id: number): void =>
    void seen.push({
      ...NO_FIELDS,
      type: "SECOND_FACTOR_FAILED",
      actor: "web:admin via 203.0.113.9",
      id,
      at: clock.now(),
    });
  const guessed = () => alerts.book.open.filter(({ code }) => code === "second_factor_guessed").length;
  for (const last of [300, 600]) {
    wrongCode(state.last + 1);
    wrongCode(state.last + 2);
    Object.assign(state, { last, readableTo: last - 1 });
    await seconds(2);
    state.readableTo = last;
    await seconds(1);
    assert.equal(guessed(), 0, "four of five");
  }
  wrongCode(++state.last);
  state.readableTo = state.last;
  await seconds(1);
  assert.equal(guessed(), 1);
});

test("decisions run between two steps of reading", async () => {
  const { alerts, state, steps } = alertsKit();
  state.last = 600;
  const turns: number[] = [];
  const turn = (): void => {
    turns.push(steps.length);
    if (steps.length < 3) setImmediate(turn);
  };
  setImmediate(turn);
  await alerts.round();
  assert.ok(turns.includes(1) && turns.includes(2), turns.join());
});

test("checks that have not run for a minute do not mean that the server is healthy", async () => {
  const { alerts, clock, seconds } = alertsKit();
  await seconds(1);
  clock.advance(58_999);
  assert.equal(alerts.isWell, true);
  clock.advance(1);
  assert.equal(alerts.isWell, false);
});

test("a failed round is logged, and the next one runs", async (t) => {
  const { notices, seconds, logged } = alertsKit();
  const list = t.mock.method(notices, "list", () => assert.fail("no list"));
  assert.deepEqual(await seconds(1), []);
  assert.deepEqual(logged, ['error Alerts failed; retrying in a second. {"why":"no list"}']);
  list.mock.restore();
  notices.set("greylist_silent", "");
  assert.deepEqual(await seconds(1), ["a: opened greylist_silent"]);
});

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
  const guesses = [
    "password_guessed",
    "login_after_guesses",
    "password_without_code",
    "second_factor_guessed",
  ] as const;
  const codes = [...guesses, "web_new_network", "web_overreach", "passkey_copied"] as const;
  const times = { openedAt: at, lastAt: at, resolvedAt: null };
  const kept = codes.map((code) => ({ code, subject: "anna@example.test", detail: "", ...times }));
  const { alerts, seconds } = alertsKit({ alerts: kept, deliveries: [] });
  assert.deepEqual(await seconds(300), []);
  const open = alerts.book.open.map(({ code }) => code);
  assert.deepEqual(open, codes);
});

test("at the end a channel has two seconds to finish deliveries in flight", { timeout: patience(20_000) }, async () => {
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
