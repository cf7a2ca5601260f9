import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "./temporary-directory.ts";

const ofTheFile = temporaryDirectory();
let ofOneTest = "";

test("a directory of a test is empty, and its own", () => {
  ofOneTest = temporaryDirectory();
  assert.deepEqual(readdirSync(ofOneTest), []);
  writeFileSync(join(ofOneTest, "file"), "");
  assert.notEqual(temporaryDirectory(), ofOneTest);
});

test("it goes with its test, and that of the file stays", () => {
  assert.notEqual(ofOneTest, "");
  assert.ok(!existsSync(ofOneTest));
  assert.ok(existsSync(ofTheFile));
});
