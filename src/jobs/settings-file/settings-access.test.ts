import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";

const FILE = "src/jobs/settings-file/settings-access.ts";

test("the guard may read a replaced settings file again; only files are changed", OWN_ETC, async () => {
  const etc = new OwnEtc();
  etc.add("ghostinbox", 61_000);
  const layout = layoutOf(temporaryDirectory());
  const restore = async () => assert.equal(await etc.call([FILE, "restoreSettingsAccess", layout]), null);
  await restore();
  writeFileSync(layout.settings, "");
  chmodSync(layout.settings, 0o600);
  chownSync(layout.settings, 65_534, 0);
  await restore();
  const { mode, uid, gid } = statSync(layout.settings);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 0, etc.numberOf("group", "ghostinbox")]);
  const another = layoutOf(temporaryDirectory());
  mkdirSync(another.settings, { mode: 0o700 });
  assert.equal(await etc.call([FILE, "restoreSettingsAccess", another]), null);
  assert.equal(statSync(another.settings).mode & 0o777, 0o700);
});
