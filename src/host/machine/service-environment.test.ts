import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { readServiceEnvironment } from "./settings-text.ts";

test("the variables of the running server are read, and none where it never ran", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "GHOSTINBOX_DOMAIN"), "example.org");
  writeFileSync(join(directory, "GHOSTINBOX_HOSTNAME"), "a\0b");
  const read = readServiceEnvironment(directory);
  assert.deepEqual(read, { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_HOSTNAME: "a\nb" });
  assert.deepEqual(readServiceEnvironment(join(directory, "none")), {});
});
