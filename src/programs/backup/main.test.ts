import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { contentOf, put } from "../../../test/kit/files.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";

function run(task: "backup" | "drill", data: string) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, GHOSTINBOX_DATA: data };
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

test("a mistake in settings that were not applied does not stop a task", () => {
  const layout = temporaryLayout("settings", "backupRecord");
  writeFileSync(layout.settings, "x = 1\n");
  put(layout.settingsInForce, 'domains = ["example.org"]\n');
  assert.match(run("drill", layout.data).stderr, /^backup: (?!x is not a setting)/);
});

const RESTIC = { skip: lacking({ root: true, installed: ["restic"] }) };
test("a file that only an edit names, which was not applied, is in the backup", RESTIC, async () => {
  const { top, layout, restoreTo } = dataToBackUp();
  const token = join(top, "token");
  put(token, "a token");
  put(layout.settingsInForce, 'domains = ["example.test"]\n');
  put(layout.settings, `domains = ["example.test"]\nalerts.ntfy_token_file = "${token}"\n`);
  makeCheapRepository(layout);
  const ran = run("backup", layout.data);
  assert.deepEqual([ran.status, ran.stderr], [0, ""]);
  const elsewhere = layoutOf(join(top, "restored"));
  assert.partialDeepStrictEqual(await restoreTo(elsewhere), { ok: true });
  assert.equal(contentOf(join(elsewhere.backupOutside, token)), "a token");
});
