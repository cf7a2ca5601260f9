import assert from "node:assert/strict";
import { test } from "node:test";
import { lacking } from "../../../../../test/kit/needs.ts";
import { dataDirectory, ghostinbox } from "../../../../../test/kit/test-guard.ts";

test("without a backup there is nothing to restore in a drill", { skip: lacking({ root: true }) }, async () => {
  using layout = dataDirectory();
  const { code, err } = await ghostinbox(layout, ["backup", "drill"]);
  assert.deepEqual({ code, err }, { code: 1, err: "No backup exists yet. Make one: ./ghostinbox backup create\n" });
});
