import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import { later } from "../../core/time.ts";
import type { Alert } from "../alerts/ports.ts";
import { ALERT_RUNS, alertsTest } from "./alerts.ts";

const OPEN: Alert = {
  code: "disk_nearly_full",
  subject: "",
  detail: "12 MB are left",
  openedAt: NOON,
  lastAt: NOON,
  resolvedAt: null,
};
const OVER: Alert = { ...OPEN, code: "greylist_silent", resolvedAt: later(NOON, 60_000) };

test("open alerts come before resolved ones, newest first in each group, with the channels", () => {
  const book = {
    open: [OPEN, { ...OPEN, subject: "newer", openedAt: later(OPEN.openedAt, 1) }],
    resolved: [OVER, { ...OVER, subject: "older" }],
  };
  const channels = new Map([
    ["a", null],
    ["b", "it answered 503"],
  ]);
  const alerts = { book, channels, leadOut: true, test: () => Promise.resolve([]) };
  const reply = ALERT_RUNS.alerts_list({ alerts }, { verb: "alerts_list", limit: 50, cursor: null });
  assert.ok(reply.ok);
  assert.deepEqual([reply.result.next, reply.result.total], [null, 4]);
  const pages = [ALERT_RUNS.alerts_list({ alerts }, { verb: "alerts_list", limit: 3, cursor: null })].flatMap((one) =>
    one.ok ? [one, ALERT_RUNS.alerts_list({ alerts }, { verb: "alerts_list", limit: 3, cursor: one.result.next })] : [],
  );
  assert.deepEqual(
    pages.flatMap((one) => (one.ok ? one.result.items : [])),
    reply.result.items,
    "page by page",
  );
  assert.deepEqual(
    reply.result.items.map(({ code, subject, resolvedAt }) => [code, subject, resolvedAt]),
    [
      ["disk_nearly_full", "newer", null],
      ["disk_nearly_full", "", null],
      ["greylist_silent", "", "2026-11-20T12:01:00.000Z"],
      ["greylist_silent", "older", "2026-11-20T12:01:00.000Z"],
    ],
  );
  assert.equal(reply.result.leadOut, true);
  assert.deepEqual(reply.result.channels, [
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
  const alerts = {
    book: { open: [], resolved: [] },
    channels: new Map(),
    leadOut: false,
    test: (longestMs?: number) => {
      waits.push(longestMs);
      return Promise.resolve(outcomes);
    },
  };
  assert.deepEqual(await alertsTest({ alerts }, true), {
    ok: true,
    result: {
      results: [
        { channel: "a", ok: true, detail: "" },
        { channel: "b", ok: false, detail: "it answered 503" },
      ],
    },
  });
  await alertsTest({ alerts }, false);
  assert.deepEqual(waits, [8_000, undefined], "the web waits a shorter time");
});
