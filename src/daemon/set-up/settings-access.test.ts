import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf, USERS } from "../../settings/layout.ts";
import { restoreSettingsAccess, settingsAccess } from "./settings-access.ts";

const skip = lacking({ root: true, users: [USERS.guard] });

test("a settings file that was replaced is the guard's to read again", { skip }, () => {
  const layout = layoutOf(temporaryDirectory());
  restoreSettingsAccess(layout);
  writeFileSync(layout.settings, "");
  chmodSync(layout.settings, 0o600);
  chownSync(layout.settings, 65_534, 0);
  restoreSettingsAccess(layout);
  const { mode, uid, gid } = statSync(layout.settings);
  assert.deepEqual({ mode: mode & 0o7777, owner: { uid, gid } }, settingsAccess());
});

test("what is no file stays as it is", { skip }, () => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(layout.settings, { mode: 0o700 });
  restoreSettingsAccess(layout);
  assert.equal(statSync(layout.settings).mode & 0o777, 0o700);
});
