import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";

test("with unreadable settings, each task prints the reason that the keeper takes", () => {
  for (const task of ["backup", "drill"] as const) {
    const layout = temporaryLayout("settings", "backupRecord");
    writeFileSync(layout.settings, "x = 1\n");
    const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
    const ran = spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), task], { env, encoding: "utf8" });
    assert.deepEqual([ran.status, ran.stderr], [1, "backup: x is not a setting.\n"]);
  }
});
