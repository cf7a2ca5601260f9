import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { changedKeys, readSettings } from "./settings.ts";

function read(toml: string | null) {
  const layout = layoutOf(temporaryDirectory());
  if (toml !== null) writeFileSync(layout.settings, toml);
  return readSettings(layout);
}

test("a settings file is read, or its mistakes are reported", () => {
  const good = read('domains = ["example.org"]\n');
  assert.ok(good.ok && good.settings.hostname === "mail.example.org");
  const missing = read(null);
  assert.match(missing.ok ? "" : missing.reason, /ghostinbox\.toml is not there\.$/);
  const wrong = read('domain = ["example.org"]\n[limits.mail]\nper_minute = 0\n');
  assert.match(
    wrong.ok ? "" : wrong.reason,
    /^domain is not a setting; the nearest is domains\. .*limits\.mail\.per_minute/,
  );
});

test("names the keys that differ, and compares lists by their contents", () => {
  const before = read('domains = ["example.org"]\n[allow]\nnetworks = ["192.0.2.0/24"]\n');
  const after = read('domains = ["example.org"]\n[allow]\nnetworks = ["192.0.2.0/25"]\n[bans]\npermanent = true\n');
  assert.ok(before.ok && after.ok);
  assert.deepEqual(changedKeys(before.settings, before.settings), []);
  assert.deepEqual([...changedKeys(before.settings, after.settings)].toSorted(), ["allow.networks", "bans.permanent"]);
});
