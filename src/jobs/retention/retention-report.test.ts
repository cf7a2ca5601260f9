import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { writeRecord } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";
import { nextNight } from "../job.ts";
import { setLegalHold } from "./retention.ts";
import { retentionReport } from "./retention-job.ts";

const NOW = Date.parse("2026-11-20T12:00:00.000Z");
const SINCE = "2026-11-20T06:00:00.000Z";
const SETTINGS = { "retention.mail": [], "retention.hour": 3 };

const reportOf = (layout: Layout) => retentionReport(layout, SETTINGS, NOW);
const server = () => temporaryLayout("legalHolds", "retentionRecord");

test("before the first run there is only the next one", () => {
  const nextRunAt = new Date(nextNight(3, NOW)).toISOString();
  assert.deepEqual(reportOf(server()), { nextRunAt, lastRun: null, failure: null, paused: null, legalHolds: [] });
});

test("shows the last run, why there is none now, and the start of each legal hold, but not its reason", () => {
  const layout = server();
  const leap = { at: NOW - HOUR_MS, byMs: 20 * DAY_MS };
  const last = { at: NOW - DAY_MS, mails: 3, bytes: 4_000 };
  writeRecord(layout.retentionRecord, { since: 1, lookedAt: NOW, leap, last, failure: null });
  setLegalHold(layout.legalHolds, { account: "Anna@example.org", since: SINCE, reason: "case 12" });
  const reported = reportOf(layout);
  assert.deepEqual(reported.lastRun, { at: "2026-11-19T12:00:00.000Z", mails: 3, bytes: 4_000 });
  assert.match(reported.paused ?? "", /^the clock went ahead by 20 days, to 2026-11-20 11:00 UTC, or /);
  assert.equal(reported.nextRunAt, null);
  const back = { since: 1, lookedAt: NOW, leap: { ...leap, byMs: -20 * DAY_MS }, last, failure: null };
  writeRecord(layout.retentionRecord, back);
  assert.match(reportOf(layout).paused ?? "", /^the clock went back by 20 days, /);
  assert.deepEqual(reported.legalHolds, [{ account: "anna@example.org", since: SINCE }]);
  const reply = { ok: true, detail: "", retention: reported };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});

test("a failed run is shown with its reason, and retried an hour later", () => {
  const layout = server();
  const failure = { at: NOW - HOUR_MS / 2, reason: "Dovecot does not answer" };
  const record = { since: 1, lookedAt: NOW, leap: null, last: null, failure };
  writeRecord(layout.retentionRecord, record);
  const reported = reportOf(layout);
  assert.deepEqual(reported.failure, { at: "2026-11-20T11:30:00.000Z", reason: failure.reason });
  assert.equal(reported.nextRunAt, "2026-11-20T12:30:00.000Z");
  writeRecord(layout.retentionRecord, { ...record, failure: { ...failure, at: NOW - HOUR_MS } });
  assert.equal(reportOf(layout).nextRunAt, "2026-11-20T12:00:00.000Z", "it must run now");
});
