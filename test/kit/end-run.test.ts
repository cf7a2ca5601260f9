import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "./temporary-directory.ts";

test("once a run is ending, it starts nothing", () => {
  const made = join(temporaryDirectory(), "made");
  const run = `
    import { setTimeout as pause } from "node:timers/promises";
    import { beginNoMore, staticCheck } from ${JSON.stringify(join(import.meta.dirname, "../../scripts/test-run.ts"))};
    beginNoMore();
    await Promise.race([staticCheck("made", ["touch", ${JSON.stringify(made)}]), pause(1_000)]);
    process.exit();`;
  assert.equal(spawnSync(process.execPath, ["--input-type=module", "-e", run]).status, 0);
  assert.ok(!existsSync(made));
});

test("a run in a clone below /tmp ends at once, and says why", (t) => {
  const directory = mkdtempSync("/tmp/ghostinbox-clone-");
  t.after(() => rmdirSync(directory));
  const run = [...process.execArgv, join(import.meta.dirname, "../../scripts/run-tests.ts")];
  const { status, stderr } = spawnSync(process.execPath, run, { cwd: directory, encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /^This clone is below \/tmp, /);
});
