import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../../test/kit/temporary-directory.ts";
import { dataDirectory, ghostinbox } from "../../../../../test/kit/test-guard.ts";
import { endDrill } from "../../../../jobs/backup/records.ts";
import { layoutOf } from "../../../../settings/layout.ts";
import { lastDrillJson, lastDrillText } from "./backup.ts";

test("without a backup there is nothing to restore in a drill", { skip: lacking({ root: true }) }, async () => {
  using layout = dataDirectory();
  const { code, err } = await ghostinbox(layout, ["backup", "drill"]);
  assert.deepEqual({ code, err }, { code: 1, err: "No backup exists yet. Make one: ./ghostinbox backup create\n" });
});

test("one line about the last restore drill, whatever its result; nothing before the first", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  assert.deepEqual([lastDrillText(layout), lastDrillJson(layout)], [null, null]);
  mkdirSync(layout.backup, { recursive: true });
  const at = Date.UTC(2026, 10, 21, 3, 0, 0);
  const counts = {
    queued: 0,
    accounts: 1,
    aliases: 0,
    bans: 0,
    tokens: 0,
    same: 7,
    gone: 0,
    different: 0,
    server: null,
  };
  const found = { mails: 7, mailboxes: 1, ...counts };
  const drill = { at, tookMs: 4_200, snapshot: "0123abcd", madeAt: at - 60_000, reason: null, found };
  endDrill(layout, drill);
  assert.equal(
    lastDrillText(layout),
    "Last restore drill: 2026-11-21 03:00:00 UTC, 7 mails of 0123abcd in 5 s, all right.",
  );
  endDrill(layout, { ...drill, at: at + 60_000, reason: "it is damaged", found: null });
  assert.equal(lastDrillText(layout), "Last restore drill: 2026-11-21 03:01:00 UTC, failed: it is damaged.");
  assert.equal(lastDrillJson(layout)?.ok, false);
  writeFileSync(layout.backupDrills, "no record");
  assert.equal(lastDrillText(layout), null);
});
