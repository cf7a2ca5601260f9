import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_ALERTS } from "../../../test/kit/engine-kit.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { later } from "../../core/time.ts";
import type { Alert } from "../alerts/ports.ts";
import { ALERT_RUNS, alertsTest } from "./alerts.ts";

const TIMES = { openedAt: NOON, lastAt: NOON, resolvedAt: null };
const OPEN: Alert = { code: "disk_nearly_full", subject: "", detail: "12 MB are left", ...TIMES };
const OVER: Alert = { ...OPEN, code: "greylist_silent", resolvedAt: later(NOON, 60_000) };

test("open alerts come before resolved ones, newest first in each group, with the channels", () => {
  const book = {
    open: [OPEN, { ...OPEN, subject: "newer", openedAt: later(OPEN.openedAt, 1) }],
    resolved: [OVER, { ...OVER, subject: "older", openedAt: later(NOON, 1), resolvedAt: later(NOON, 59_000) }],
  };
  const channels = new Map(Object.entries({ a: null, b: "it answered 503" }));
  const alerts = { ...NO_ALERTS, book, channels };
  const page = (limit: number, cursor: string | null) => {
    const reply = ALERT_RUNS.alerts_list({ alerts }, { verb: "alerts_list", limit, cursor });
    assert.ok(reply.ok);
    return reply.result;
  };
  const all = page(50, null);
  assert.partialDeepStrictEqual(all, { next: null, total: 4, leadOut: true });
  assert.equal(all.items.length, 4);
  const first = page(3, null);
  assert.deepEqual([...first.items, ...page(3, first.next).items], all.items, "page by page");
  assert.partialDeepStrictEqual(all.items, [
    { code: "disk_nearly_full", subject: "newer", resolvedAt: null },
    { code: "disk_nearly_full", subject: "", resolvedAt: null },
    { code: "greylist_silent", subject: "", resolvedAt: "2026-11-20T12:01:00.000Z" },
    { code: "greylist_silent", subject: "older", resolvedAt: "2026-11-20T12:00:59.000Z" },
  ]);
  assert.deepEqual(all.channels, [
    { name: "a", failing: null },
    { name: "b", failing: "it answered 503" },
  ]);
});

test("a test reports for each channel whether it accepted the message, or why not", async () => {
  const outcomes = [
    { channel: "a", outcome: { ok: true } },
    { channel: "b", outcome: { ok: false, reason: "it answered 503" } },
  ] as const;
  const waits: (number | undefined)[] = [];
  const test = (longestMs?: number) => (waits.push(longestMs), Promise.resolve(outcomes));
  const alerts = { ...NO_ALERTS, test };
  const results = [
    { channel: "a", ok: true, detail: "" },
    { channel: "b", ok: false, detail: "it answered 503" },
  ];
  assert.deepEqual(await alertsTest({ alerts }, true), { ok: true, result: { results } });
  await alertsTest({ alerts }, false);
  assert.deepEqual(waits, [8_000, undefined], "the web waits a shorter time");
});
