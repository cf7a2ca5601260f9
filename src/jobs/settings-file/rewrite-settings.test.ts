import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { rewriteSettings } from "./settings-access.ts";

test("owner and mode stay; a new file is not readable for everyone", () => {
  const path = join(temporaryDirectory(), "ghostinbox.toml");
  rewriteSettings(path, "a\n");
  assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["a\n", 0o640]);
  writeFileSync(path, "b\n");
  chmodSync(path, 0o600);
  rewriteSettings(path, "c\n");
  assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["c\n", 0o600]);
});
