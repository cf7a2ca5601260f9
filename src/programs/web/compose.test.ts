import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { readSettings } from "./compose.ts";

function read(toml: string | null) {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(dirname(layout.webSettings), { recursive: true });
  if (toml !== null) writeFileSync(layout.webSettings, toml);
  return { layout, read: readSettings(layout) };
}

test("reads the file that root wrote for the web", () => {
  const { read: result } = read('domains = ["example.org"]\n[ports]\nhttp = 8099\n');
  assert.ok(result.ok);
  assert.equal(result.settings["ports.http"], 8099);
});

test("a missing or invalid file is reported in one sentence", () => {
  const missing = read(null);
  assert.match(missing.read.ok ? "" : missing.read.reason, /web\.toml cannot be read: ENOENT/);
  const wrong = read("[ports]\nhttpp = 1\nhttp = 0\n").read;
  assert.match(wrong.ok ? "" : wrong.reason, /^ports\.httpp is not a setting; .* ports\.http/);
});
