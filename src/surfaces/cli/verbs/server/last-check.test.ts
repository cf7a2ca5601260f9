import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../../../test/kit/temporary-directory.ts";
import { changeCheckRecord } from "../../../../jobs/check/check-record.ts";
import { layoutOf } from "../../../../settings/layout.ts";
import { lastCheckJson, lastCheckText } from "./status.ts";

test("one line about the last checks; nothing before the first", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  assert.deepEqual([lastCheckText(layout), lastCheckJson(layout)], [null, null]);
  mkdirSync(dirname(layout.checkRecord), { recursive: true });
  const kept = { state: "ok", evidence: "x", passedAt: 1 } as const;
  changeCheckRecord(layout, { at: Date.UTC(2026, 10, 16, 7), checks: { "a.a": kept, "a.b": kept } });
  assert.equal(lastCheckText(layout), "Last checks: 2026-11-16 07:00:00 UTC, 2 checks, nothing wrong.");
  changeCheckRecord(layout, { checks: { "a.a": kept, "a.b": { ...kept, state: "wrong" } } });
  assert.equal(lastCheckText(layout), "Last checks: 2026-11-16 07:00:00 UTC, 2 checks, wrong: a.b.");
  assert.deepEqual(lastCheckJson(layout), { at: "2026-11-16T07:00:00.000Z", checks: 2, wrong: ["a.b"] });
});
