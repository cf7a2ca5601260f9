import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { lastDrill, readBackupRecord, readDrills } from "../../jobs/backup/records.ts";

test("with unreadable settings, the record of the task itself has the failure", () => {
  for (const task of ["backup", "drill"] as const) {
    const layout = temporaryLayout("settings", "backupRecord");
    writeFileSync(layout.settings, "x = 1\n");
    const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
    const ran = spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), task], { env, encoding: "utf8" });
    const reasons = {
      backup: readBackupRecord(layout).failure?.reason ?? "",
      drill: lastDrill(readDrills(layout))?.reason ?? "",
    };
    const noted = reasons[task];
    assert.equal(ran.stderr, `backup: ${noted}\n`);
    assert.equal(Object.values(reasons).join(""), noted, task);
    assert.match(noted, /\bx\b/);
  }
});
