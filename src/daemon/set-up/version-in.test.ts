import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { versionIn } from "./version-in.ts";

test("the version is that of package.json, if it tells one", () => {
  const directory = temporaryDirectory();
  assert.equal(versionIn(directory), null);
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  assert.equal(versionIn(directory), null);
  for (const space of [0, 2]) {
    writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module", version: "1.2.3" }, null, space));
    assert.equal(versionIn(directory), "1.2.3");
  }
});
