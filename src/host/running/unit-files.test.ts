import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { NODE_FLAGS } from "./runit.ts";
import { installUnits, uninstallUnits, unitsOf } from "./units.ts";

const of = { checkout: "/opt/ghostinbox", layout: layoutOf("/srv/mail"), node: "/opt/ghostinbox/node" };

test("an administrator's unit of the same name is not replaced, and nothing else is written", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "ghostinbox.service"), "[Service]\nExecStart=/bin/true\n");
  const outcome = await installUnits(of, directory);
  assert.ok(!outcome.ok && outcome.reason.includes("is not from here"), JSON.stringify(outcome));
  assert.deepEqual(readdirSync(directory), ["ghostinbox.service"]);
  assert.deepEqual(unitsOf(directory), []);
  assert.deepEqual(await uninstallUnits(directory), { ok: true, found: false });
});

test("a path that a unit would misread is refused", async () => {
  const directory = temporaryDirectory();
  for (const checkout of ["/opt/my server", "/opt/100%", "/opt/$HOME"]) {
    const outcome = await installUnits({ ...of, checkout }, directory);
    assert.ok(!outcome.ok && outcome.reason.startsWith(`${checkout} has characters`), JSON.stringify(outcome));
  }
  assert.deepEqual(readdirSync(directory), []);
});

test("units are recognised by their first line, and others are kept", { skip: lacking({ root: true }) }, async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "postfix.service"), "[Service]\n");
  // Whether or not systemd runs here: the files are written first.
  await installUnits(of, directory);
  const found = unitsOf(directory);
  assert.ok(found.includes(join(directory, "ghostinbox-guard.service")));
  assert.ok(!found.includes(join(directory, "postfix.service")));
  const unit = readFileSync(join(directory, "ghostinbox.service"), "utf8");
  assert.match(unit, new RegExp(`^ExecStart=\\S+ ${NODE_FLAGS} \\S+/start\\.ts --systemd$`, "m"));
});

test("npm start runs the start with the same flags", () => {
  assert.ok(readFileSync("scripts/start", "utf8").includes(`flags="${NODE_FLAGS}"\n`));
});
