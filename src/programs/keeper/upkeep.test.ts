import assert from "node:assert/strict";
import { test } from "node:test";
import { doneDrill } from "../../../test/kit/data-to-back-up.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { settings } from "../../../test/kit/upkeep-kit.ts";
import type { UpkeepItem } from "../../admin/declare/reports.ts";
import { appendRecord } from "../../host/root-files/record-file.ts";
import { changeBackupRecord, endDrill, failedDrill } from "../../jobs/backup/records.ts";
import { changeCheckRecord } from "../../jobs/check/check-record.ts";
import { changeMailRecord } from "../../jobs/report/records.ts";
import { upkeepOf } from "./upkeep.ts";

const AT = Date.parse("2026-11-20T03:00:00.000Z");
const SECRET = "rest:https://owner:s3cret@backup.example/";

const server = () => temporaryLayout("backupRecord", "checkRecord", "reportsMailed", "auditAnchors");

function named(items: readonly UpkeepItem[], name: UpkeepItem["name"]): UpkeepItem {
  return items.find((one) => one.name === name) ?? assert.fail(name);
}

function stateOf(items: readonly UpkeepItem[], name: UpkeepItem["name"]): string {
  const { state, says } = named(items, name);
  return `${state}: ${says}`;
}

test("on a new server no task has run yet, which is not a fault", () => {
  for (const { state, at, says, command } of upkeepOf(server(), [], settings)) {
    assert.deepEqual([state, at], ["unknown", null]);
    assert.ok(says !== "" && command.startsWith("./ghostinbox "));
  }
});

test("shows the last run of each task with its time, but no path or secret", () => {
  const layout = server();
  const done = { at: AT, tookMs: 61_000, snapshot: "0a1b2c3d", place: SECRET, files: 3, addedBytes: 1_024 };
  changeBackupRecord(layout, { last: { ...done, mails: 7, bytes: 2.5 * 1024 ** 2 } });
  changeMailRecord(layout, { last: { at: AT, to: ["owner@example.org"] } });
  appendRecord(layout.auditAnchors, { at: "2026-11-20T03:00:00.000Z", id: 12, hash: "0".repeat(64) });
  const items = upkeepOf(layout, [], settings);
  const says = "7 mails, 2.5 MB, of which 1.0 KB were new, in 1 min.";
  const ran = { name: "backup", state: "ok", at: "2026-11-20T03:00:00.000Z", command: "./ghostinbox backup list" };
  assert.deepEqual(named(items, "backup"), { ...ran, says });
  assert.equal(named(items, "audit").says, "The chain is anchored up to entry 12.");
  assert.equal(named(items, "report").says, "Mailed to 1 address.");
  assert.doesNotMatch(JSON.stringify(items), /s3cret|owner@/);
});

test("a task's notice lowers its state, and is shown", () => {
  const layout = server();
  endDrill(layout, failedDrill({ at: AT, reason: "the snapshot is damaged" }));
  const items = upkeepOf(
    layout,
    [
      { code: "backup_drill_failed", detail: "the snapshot is damaged" },
      { code: "backup_overdue", detail: "there is none yet" },
      { code: "relay_refuses", detail: "another matter" },
    ],
    settings,
  );
  assert.equal(stateOf(items, "drill"), "down: It failed. the snapshot is damaged.");
  assert.equal(stateOf(items, "backup"), "degraded: There is none yet. there is none yet.");
  assert.doesNotMatch(JSON.stringify(items), /another matter/);
});

test("shows checks by name, and updates as the checks found them", () => {
  const layout = server();
  const kept = (state: "ok" | "warning" | "wrong", evidence = "seen") => ({ state, evidence, passedAt: AT });
  const checks = { "dns.mx": kept("wrong"), "tls.name": kept("ok"), "updates.waiting": kept("warning", "2 wait.") };
  changeCheckRecord(layout, { at: AT, checks });
  const items = upkeepOf(layout, [], settings);
  assert.equal(stateOf(items, "checks"), "degraded: 3 checks. Wrong: dns.mx. Warnings: updates.waiting.");
  assert.equal(stateOf(items, "updates"), "degraded: 2 wait.");
});

test("a disabled task is shown as off", () => {
  const off = { ...settings, "backup.enabled": false, "report.mail": "off" as const };
  const layout = server();
  const items = upkeepOf(layout, [], off);
  assert.match(named(items, "backup").says, /are off \(backup\.enabled\)/);
  assert.equal(stateOf(items, "drill"), "unknown: Restore drills are off (backup.enabled).");
  assert.match(named(items, "report").says, /No report is mailed/);
  endDrill(layout, doneDrill(AT));
  const after = "unknown: Restore drills are off (backup.enabled). 0 mails restored and checked, in 1 s.";
  assert.equal(stateOf(upkeepOf(layout, [], off), "drill"), after);
});
