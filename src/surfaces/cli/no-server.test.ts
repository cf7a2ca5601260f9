import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { ghostinbox, oneLineOfError } from "../../../test/kit/test-guard.ts";
import { NOT_RUNNING, noServerIn, notRunning } from "./call.ts";

test("without settings, the message also names the directory", () => {
  const layout = temporaryLayout();
  assert.match(notRunning(layout).message, new RegExp(`^GhostInbox is not running\\. ${layout.data} has no server: `));
  assert.match(notRunning(layout).next, /^Start it with `npm start`\. `--data` /);
  writeFileSync(layout.settings, "");
  assert.equal(noServerIn(layout), null);
  assert.deepEqual(notRunning(layout), NOT_RUNNING);
});

test("uninstalls nothing from another program's directory", ROOT, async () => {
  const layout = temporaryLayout();
  writeFileSync(join(layout.data, "of-others"), "");
  const { code, err } = await ghostinbox(layout, ["uninstall"]);
  assert.equal(code, 1);
  assert.match(err, /^\S+ holds other programs' files and no ghostinbox\.toml, so nothing is uninstalled\. `--data` /);
});

test("writes nothing in a wrong directory", ROOT, async () => {
  const layout = temporaryLayout();
  const says = / has no server: it contains no ghostinbox\.toml\. `--data` or GHOSTINBOX_DATA names/;
  for (const words of [
    ["incident", "open", "x"],
    ["backup", "create"],
    ["backup", "export", layout.data],
  ]) {
    assert.match(oneLineOfError(await ghostinbox(layout, words), 1), says, words.join(" "));
    assert.deepEqual(readdirSync(layout.data), []);
  }
});
