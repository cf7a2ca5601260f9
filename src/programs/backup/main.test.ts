import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";

function run(task: "backup" | "drill", data: string) {
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: data };
  return spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), task], { env, encoding: "utf8" });
}

test("with unreadable settings, each task prints the reason that the keeper takes", () => {
  for (const task of ["backup", "drill"] as const) {
    const layout = temporaryLayout("settings", "backupRecord");
    writeFileSync(layout.settings, "x = 1\n");
    const ran = run(task, layout.data);
    assert.deepEqual([ran.status, ran.stderr], [1, "backup: x is not a setting.\n"]);
  }
});

test("a mistake that was not applied does not stop it", () => {
  const layout = temporaryLayout("settings", "backupRecord");
  writeFileSync(layout.settings, "x = 1\n");
  put(layout.settingsInForce, 'domains = ["example.org"]\n');
  assert.match(run("drill", layout.data).stderr, /^backup: (?!x is not a setting)/);
});
