import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../../../settings/layout.ts";
import { profileJson, profileLines } from "./status.ts";

function shown(toml: string) {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  mkdirSync(dirname(layout.settings), { recursive: true });
  writeFileSync(layout.settings, toml);
  return profileJson({ layout, env: {} });
}

test("status names what the small profile gives up, but for what the owner has set", () => {
  const small = shown('domains = ["example.org"]\nprofile = "small"\nspam.processes = 2\n');
  assert.equal(small?.name, "small");
  const lines = profileLines(small);
  assert.equal(lines[0], "Profile small (docs/small-machine.md):");
  assert.ok(lines.some((line) => line.startsWith("  Fail2ban is off: ")));
  assert.ok(!lines.some((line) => /scored/.test(line)));
});

test("of the usual profile, and of settings that are wrong, it says nothing", () => {
  assert.deepEqual(profileLines(shown('domains = ["example.org"]\n')), []);
  assert.deepEqual(profileLines(shown('profile = "small"\nspam.processes = 0\n')), []);
});
