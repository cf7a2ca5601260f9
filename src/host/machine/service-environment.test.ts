import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readServiceEnvironment } from "./settings-text.ts";

test("the variables of the running server are read, and none where it never ran", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-environment-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "GHOSTINBOX_DOMAIN"), "example.org");
  writeFileSync(join(directory, "GHOSTINBOX_HOSTNAME"), "a\0b");
  const read = readServiceEnvironment(directory);
  assert.deepEqual(read, { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_HOSTNAME: "a\nb" });
  assert.deepEqual(readServiceEnvironment(join(directory, "none")), {});
});
